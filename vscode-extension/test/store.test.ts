import { strict as assert } from 'node:assert';
import { stat } from 'node:fs/promises';
import * as vscode from 'vscode';
import type {
  RunExportResult,
  StoreBackupResult,
  StoreStatusResult,
  StoreVerifyResult,
} from '../src/protocol';
import { accept, article, ask, finish, group, newRun, run, until } from './harness';

/** Run a command whose questions are answered as they stand. */
async function accepting<T>(command: string, argument?: unknown): Promise<T> {
  let done: { readonly result: T } | undefined;
  const running = run(command, argument).then((result) => {
    done = { result: result as T };
  });
  const ended = await until(command, async () => {
    await accept();
    return done;
  });
  await running;
  return ended.result;
}

group('store', (test) => {
  test('the store says what it holds, and is checked', async () => {
    await newRun(await article());
    const status = (await run('writeit.ui.store.status')) as StoreStatusResult;
    assert.ok(status.runs > 0);
    const found = (await run('writeit.ui.store.verify')) as StoreVerifyResult;
    assert.deepEqual(found.problems, []);
  });

  test('the store is copied into a folder of the workspace', async () => {
    const { uri } = await accepting<StoreBackupResult>('writeit.ui.store.backup');
    assert.ok((await stat(vscode.Uri.parse(uri).fsPath)).isDirectory());
  });

  test('a run is exported and the file is opened', async () => {
    const { pipelineRunId: runId } = await newRun(await article());
    await finish(runId);
    const { uri } = await accepting<RunExportResult>('writeit.ui.run.export', { runId });
    assert.equal(vscode.window.activeTextEditor?.document.uri.toString(), uri);
    assert.match(vscode.window.activeTextEditor.document.getText(), /A first answer\./);
  });

  test('a preference is changed', async () => {
    const { primers } = await ask('writeit.primer.list', {});
    await accepting('writeit.ui.preferences.edit'); // the first of them, and the first primer
    const { stylePrimer } = await ask('writeit.preferences.get', {});
    assert.equal(stylePrimer, primers[0]?.primerId);
    await ask('writeit.preferences.set', { stylePrimer: 'tech-journalist' });
  });

  test('a run that is activated is what its document means', async () => {
    const editor = await article();
    const { pipelineRunId: first } = await newRun(editor);
    await newRun(editor);
    await run('writeit.ui.run.activate', { runId: first });
    const { activePipelineRunId } = await ask('writeit.session.show', {});
    assert.equal(activePipelineRunId, first);
  });

  test('a paused run is resumed', async () => {
    const { pipelineRunId: runId } = await newRun(await article());
    await ask('writeit.step.run', { runId });
    await run('writeit.ui.run.pause', { runId });
    assert.equal((await ask('writeit.run.show', { runId })).status, 'PAUSED');
    await run('writeit.ui.run.resume', { runId });
    assert.equal((await ask('writeit.run.show', { runId })).status, 'RUNNING');
  });
});
