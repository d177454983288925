import * as vscode from 'vscode';
import { l10n } from 'vscode';
import { runCommand } from '../commandFlows';
import type { App } from '../app';
import { currentFolder } from '../folders';
import type { StoreStatusResult } from '../protocol';
import { inform } from '../followUps';
import { showDocument } from '../pages/showDocument';
import { viewUri } from '../pages/uris';
import { runWithProgress } from '../progress';
import { plural } from '../wording';
import type { Handlers } from './handlers';

const MEGABYTE = 1_000_000;

/** Commands that show or maintain the store. */
export const STORE: Handlers = {
  'usage.open': () => showDocument(viewUri('usage')),

  'store.status': async (app) => {
    const status = await app.server.execute('writeit.store.status', { folder: currentFolder() });
    inform(storeSummary(status));
    return status;
  },

  'store.verify': async (app) => {
    const params = { folder: currentFolder() };
    const result = await runWithProgress(
      app.server,
      'writeit.store.verify',
      params,
      l10n.t('Verifying the store'),
    );
    if (result?.ok === true) {
      inform(l10n.t('The store is intact: {0} checked.', plural(result.checked, 'value')));
    } else if (result !== undefined) {
      const problems = result.problems.map(({ key, message }) => `${key}: ${message}`).join('\n');
      const detail = { modal: true, detail: problems };
      await vscode.window.showErrorMessage(l10n.t('The store has problems.'), detail);
    }
    return result;
  },

  'store.compact': async (app) => {
    const params = { folder: currentFolder() };
    const result = await runWithProgress(
      app.server,
      'writeit.store.compact',
      params,
      l10n.t('Compacting the store'),
    );
    inform(result === undefined ? l10n.t('The store was not changed.') : storeSummary(result));
    return result;
  },

  'store.backup': async (app) => {
    const path = await vscode.window.showInputBox({
      title: l10n.t('Back up the store'),
      prompt: l10n.t('A new folder in the workspace'),
      value: `writeit-backup-${new Date().toISOString().slice(0, 10)}`,
    });
    const params = path && { path, folder: currentFolder() };
    const result =
      params &&
      (await runWithProgress(
        app.server,
        'writeit.store.backup',
        params,
        l10n.t('Copying the store'),
      ));
    if (result) {
      inform(l10n.t('The backup is in {0}.', vscode.Uri.parse(result.uri).fsPath));
    }
    return result;
  },

  'store.prune': prune,
};

function storeSummary({ runs, responses, fileBytes, path }: StoreStatusResult): string {
  const size = l10n.t('{0} MB', (fileBytes / MEGABYTE).toFixed(1));
  return l10n.t(
    '{0}, {1}, {2} in {3}.',
    plural(runs, 'run'),
    plural(responses, 'answer'),
    size,
    path,
  );
}

/** Count what would be deleted, and delete it after the user confirms. */
async function prune(app: App): Promise<unknown> {
  const before = await vscode.window.showInputBox({
    title: l10n.t('Delete finished runs'),
    prompt: l10n.t('Last changed before this day (YYYY-MM-DD). Leave it empty for all.'),
    validateInput: (value) =>
      value === '' || !Number.isNaN(Date.parse(value))
        ? undefined
        : l10n.t('Enter a day such as 2026-01-31.'),
  });
  if (before === undefined) {
    return undefined;
  }
  const limit = before === '' ? {} : { before: new Date(before).toISOString() };
  const params = { ...limit, folder: currentFolder() };
  const dryRun = await app.server.execute('writeit.store.prune', { ...params, dryRun: true });
  if (dryRun.deletedRuns === 0) {
    inform(l10n.t('There are no finished runs to delete.'));
    return dryRun;
  }
  const amount = l10n.t(
    '{0} with {1}',
    plural(dryRun.deletedRuns, 'run'),
    plural(dryRun.deletedResponses, 'answer'),
  );
  const detail = {
    modal: true,
    detail: l10n.t('This cannot be undone. Runs in a backup are kept.'),
  };
  const chosen = await vscode.window.showWarningMessage(
    l10n.t('Delete {0}?', amount),
    detail,
    l10n.t('Delete'),
  );
  return chosen && runCommand(app, 'writeit.store.prune', { ...params, dryRun: false });
}
