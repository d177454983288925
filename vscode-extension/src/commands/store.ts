import * as vscode from 'vscode';
import { runCommand } from '../commandFlows';
import type { App } from '../app';
import { currentFolder } from '../folders';
import type { StoreStatusResult } from '../protocol';
import { showDocument } from '../pages/showDocument';
import { viewUri } from '../pages/uris';
import { runWithProgress } from '../progress';
import { plural } from '../wording';
import type { Handlers } from './handlers';

const MEGABYTE = 1_000_000;

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
      'checking the store',
    );
    if (result?.ok === true) {
      inform(`The store is sound: ${plural(result.checked, 'value')} checked.`);
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
      'compacting the store',
    );
    inform(result === undefined ? 'The store stays as it was.' : storeSummary(result));
    return result;
  },

  'store.backup': async (app) => {
    const path = await vscode.window.showInputBox({
      title: 'Back the store up',
      prompt: 'A new folder inside the workspace.',
      value: `writeit-backup-${new Date().toISOString().slice(0, 10)}`,
    });
    const params = path && { path, folder: currentFolder() };
    const result =
      params &&
      (await runWithProgress(app.server, 'writeit.store.backup', params, 'copying the store'));
    if (result) {
      inform(`The copy is at ${vscode.Uri.parse(result.uri).fsPath}.`);
    }
    return result;
  },

  'store.prune': prune,
};

function inform(message: string): void {
  void vscode.window.showInformationMessage(`WriteIt: ${message}`);
}

function storeSummary({ runs, responses, fileBytes, path }: StoreStatusResult): string {
  const size = `${(fileBytes / MEGABYTE).toFixed(1)} MB`;
  return `${plural(runs, 'run')}, ${plural(responses, 'answer')}, ${size} at ${path}.`;
}

/** Counted first; nothing is deleted without a yes. */
async function prune(app: App): Promise<unknown> {
  const before = await vscode.window.showInputBox({
    title: 'Delete finished runs',
    prompt: 'Last touched before this day (YYYY-MM-DD). Empty: of any age.',
    validateInput: (value) =>
      value === '' || !Number.isNaN(Date.parse(value)) ? undefined : 'A day like 2026-01-31.',
  });
  if (before === undefined) {
    return undefined;
  }
  const limit = before === '' ? {} : { before: new Date(before).toISOString() };
  const params = { ...limit, folder: currentFolder() };
  const would = await app.server.execute('writeit.store.prune', { ...params, dryRun: true });
  if (would.deletedRuns === 0) {
    inform('No finished run is that old.');
    return would;
  }
  const what = `${plural(would.deletedRuns, 'run')} with ${plural(would.deletedResponses, 'answer')}`;
  const detail = { modal: true, detail: 'They are gone for good. A backup keeps them.' };
  const chosen = await vscode.window.showWarningMessage(`Delete ${what}?`, detail, 'Delete');
  return chosen && runCommand(app, 'writeit.store.prune', { ...params, dryRun: false });
}
