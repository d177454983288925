import * as vscode from 'vscode';
import { act } from '../act';
import type { App } from '../app';
import { currentFolder } from '../folders';
import type { StoreStatusResult } from '../protocol';
import { show } from '../show';
import { viewUri } from '../uris';
import { labour } from '../work';
import { count } from '../words';
import type { Table } from './table';

const MEGABYTE = 1_000_000;

export const CARE: Table = {
  'usage.open': () => show(viewUri('usage')),

  'store.status': async (app) => {
    const status = await app.server.ask('writeit.store.status', { folder: currentFolder() });
    say(figures(status));
    return status;
  },

  'store.verify': async (app) => {
    const params = { folder: currentFolder() };
    const result = await labour(app.server, 'writeit.store.verify', params, 'checking the store');
    if (result?.ok === true) {
      say(`The store is sound: ${count(result.checked, 'value')} checked.`);
    } else if (result !== undefined) {
      const problems = result.problems.map(({ key, message }) => `${key}: ${message}`).join('\n');
      const detail = { modal: true, detail: problems };
      await vscode.window.showErrorMessage('The store has problems.', detail);
    }
    return result;
  },

  'store.compact': async (app) => {
    const params = { folder: currentFolder() };
    const result = await labour(
      app.server,
      'writeit.store.compact',
      params,
      'compacting the store',
    );
    say(result === undefined ? 'The store stays as it was.' : figures(result));
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
      params && (await labour(app.server, 'writeit.store.backup', params, 'copying the store'));
    if (result) {
      say(`The copy is at ${vscode.Uri.parse(result.uri).fsPath}.`);
    }
    return result;
  },

  'store.prune': prune,
};

function say(message: string): void {
  void vscode.window.showInformationMessage(`WriteIt: ${message}`);
}

function figures({ runs, responses, fileBytes, path }: StoreStatusResult): string {
  const size = `${(fileBytes / MEGABYTE).toFixed(1)} MB`;
  return `${count(runs, 'run')}, ${count(responses, 'answer')}, ${size} at ${path}.`;
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
  const would = await app.server.ask('writeit.store.prune', { ...params, dryRun: true });
  if (would.deletedRuns === 0) {
    say('No finished run is that old.');
    return would;
  }
  const what = `${count(would.deletedRuns, 'run')} with ${count(would.deletedResponses, 'answer')}`;
  const detail = { modal: true, detail: 'They are gone for good. A backup keeps them.' };
  const chosen = await vscode.window.showWarningMessage(`Delete ${what}?`, detail, 'Delete');
  return chosen && act(app, 'writeit.store.prune', { ...params, dryRun: false });
}
