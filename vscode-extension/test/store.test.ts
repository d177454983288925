import { strict as assert } from 'node:assert';
import { stat } from 'node:fs/promises';
import * as vscode from 'vscode';
import type { StoreBackupResult, StoreStatusResult, StoreVerifyResult } from '../src/protocol';
import { group, openArticle, run, runAccepting, startRun } from './harness';

group('store', (test) => {
  test('the status counts the runs, and the store is verified', async () => {
    await startRun(await openArticle());
    const status = (await run('writeit.ui.store.status')) as StoreStatusResult;
    assert.ok(status.runs > 0);
    const { problems } = (await run('writeit.ui.store.verify')) as StoreVerifyResult;
    assert.deepEqual(problems, []);
  });

  test('a backup is a folder in the workspace', async () => {
    const { uri } = await runAccepting<StoreBackupResult>('writeit.ui.store.backup');
    assert.ok((await stat(vscode.Uri.parse(uri).fsPath)).isDirectory());
  });
});
