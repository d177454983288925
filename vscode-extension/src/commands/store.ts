import * as vscode from 'vscode';
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
      'Checking the store',
    );
    if (result?.ok === true) {
      inform(`The store is intact: ${plural(result.checked, 'value')} checked.`);
    } else if (result !== undefined) {
      const problems = result.problems.map(({ key, message }) => `${key}: ${message}`).join('\n');
      const detail = { modal: true, detail: problems };
      await vscode.window.showErrorMessage('The store has problems.', detail);
    }
    return result;
  },

  'store.compact': async (app) => {
    const params = { folder: currentFolder() };
    const result = await runWithProgress(
      app.server,
      'writeit.store.compact',
      params,
      'Compacting the store',
    );
    inform(result === undefined ? 'The store was not changed.' : storeSummary(result));
    return result;
  },

  'store.backup': async (app) => {
    const path = await vscode.window.showInputBox({
      title: 'Back up the store',
      prompt: 'A new folder in the workspace',
      value: `writeit-backup-${new Date().toISOString().slice(0, 10)}`,
    });
    const params = path && { path, folder: currentFolder() };
    const result =
      params &&
      (await runWithProgress(app.server, 'writeit.store.backup', params, 'Copying the store'));
    if (result) {
      inform(`The backup is in ${vscode.Uri.parse(result.uri).fsPath}.`);
    }
    return result;
  },

  'store.prune': prune,
};

function storeSummary({ runs, responses, fileBytes, path }: StoreStatusResult): string {
  const size = `${(fileBytes / MEGABYTE).toFixed(1)} MB`;
  return `${plural(runs, 'run')}, ${plural(responses, 'answer')}, ${size} in ${path}.`;
}

/** Count what would be deleted, and delete it after the user confirms. */
async function prune(app: App): Promise<unknown> {
  const before = await vscode.window.showInputBox({
    title: 'Delete finished runs',
    prompt: 'Last changed before this day (YYYY-MM-DD). Leave it empty for all.',
    validateInput: (value) =>
      value === '' || !Number.isNaN(Date.parse(value))
        ? undefined
        : 'Enter a day such as 2026-01-31.',
  });
  if (before === undefined) {
    return undefined;
  }
  const limit = before === '' ? {} : { before: new Date(before).toISOString() };
  const params = { ...limit, folder: currentFolder() };
  const dryRun = await app.server.execute('writeit.store.prune', { ...params, dryRun: true });
  if (dryRun.deletedRuns === 0) {
    inform('There are no finished runs to delete.');
    return dryRun;
  }
  const amount = `${plural(dryRun.deletedRuns, 'run')} with ${plural(dryRun.deletedResponses, 'answer')}`;
  const detail = { modal: true, detail: 'This cannot be undone. Runs in a backup are kept.' };
  const chosen = await vscode.window.showWarningMessage(`Delete ${amount}?`, detail, 'Delete');
  return chosen && runCommand(app, 'writeit.store.prune', { ...params, dryRun: false });
}
