import { strict as assert } from 'node:assert';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { PipelineRun } from '../src/protocol';
import { contextKeys } from '../src/contextKeys';
import { viewUri } from '../src/pages/uris';
import { statusBarContent } from '../src/statusBar';
import {
  acceptUntil,
  activateExtension,
  completeRun,
  execute,
  group,
  openArticle,
  openedDocument,
  run,
  runAccepting,
  startRun,
  waitFor,
  WORKSPACE,
} from './harness';

/** Only the second step is made from the notes. */
const LETTER = `\
name: letter
inputs:
  - {name: notes, required: true, from: document}
steps:
  - {name: plan, prompt: "Plan a letter"}
  - {name: letter, prompt: "{{ steps.plan.content }}: {{ inputs.notes }}"}
`;

group('run', (test) => {
  test('a lens starts a run, shows it beside the document and sends nothing', async () => {
    const editor = await openArticle();
    const started = (await run('writeit.run.start', {
      pipeline: 'tech-article',
      uri: editor.document.uri.toString(),
      inputs: { target_audience: 'editors' },
      wait: false,
    })) as PipelineRun;
    assert.equal(started.status, 'INITIALIZING');
    const view = await waitFor('the page', () =>
      openedDocument(viewUri('run', started.pipelineRunId)),
    );
    assert.match(view.getText(), /tech-article/);
    assert.equal(
      vscode.window.activeTextEditor?.document.uri.toString(),
      editor.document.uri.toString(),
    );
  });

  test('a branch opens its step, and the original run is unchanged', async () => {
    const editor = await openArticle();
    const { pipelineRunId: runId } = await startRun(editor);
    await execute('writeit.step.run', { runId });
    await execute('writeit.step.select', { runId, response: 0 });
    const before = await execute('writeit.run.show', { runId });
    const child = (await run('writeit.ui.run.branch', { runId, step: 'angles' })) as PipelineRun;
    assert.equal(child.parentPipelineRunId, runId);
    await waitFor('the page', () => openedDocument(viewUri('step', child.pipelineRunId, 'angles')));
    assert.deepEqual(await execute('writeit.run.show', { runId }), before);
  });

  test('notes are renamed and changed; only what was made from them is paid again', async () => {
    const app = await activateExtension();
    const pipelines = join(WORKSPACE, 'pipelines');
    await mkdir(pipelines);
    await writeFile(join(pipelines, 'letter.yaml'), LETTER);
    const old = (await openArticle()).document.uri;
    const params = { pipeline: 'letter', uri: old.toString() };
    const models = { plan: ['openai/gpt-4o', 'openai/gpt-4o-mini'], letter: ['openai/gpt-4o'] };
    const { pipelineRunId: runId } = await execute('writeit.run.start', { ...params, models });
    await completeRun(runId);
    const renaming = new vscode.WorkspaceEdit();
    const renamed = vscode.Uri.joinPath(old, '../moved notes.md');
    renaming.renameFile(old, renamed);
    await vscode.workspace.applyEdit(renaming);
    const uriOf = async (): Promise<string | null> =>
      (await execute('writeit.run.show', { runId })).uri;
    await waitFor('the run to follow', async () => (await uriOf()) === renamed.toString());
    const before = await execute('writeit.run.show', { runId });

    const isStale = (): boolean => statusBarContent(app).text.includes('out of date');
    const editor = await vscode.window.showTextDocument(renamed);
    assert.equal(isStale(), false);
    await editor.edit((edit) => {
      edit.insert(editor.document.lineAt(editor.document.lineCount - 1).range.end, '\n\nNew.\n');
    });
    await waitFor('the change to be told', isStale);
    const child = await execute('writeit.run.refresh', { runId });
    assert.equal(child.parentPipelineRunId, runId);
    await waitFor('the branch to be up to date', () => !isStale());
    await completeRun(child.pipelineRunId);
    assert.deepEqual(await execute('writeit.run.show', { runId }), before);
    const { rows } = await execute('writeit.usage.show', { by: 'run' });
    const [first, again] = [runId, child.pipelineRunId].map((id) =>
      rows.find(({ key }) => key === id),
    );
    assert.deepEqual([first?.calls, again?.calls], [3, 1]);
    assert.ok(Number(again?.costUsd) < Number(first?.costUsd));
    console.log(`refresh: letter again, $${again?.costUsd}; the run before, $${first?.costUsd}`);
    await rm(pipelines, { recursive: true });
  });

  test('the current document decides which run commands apply to', async () => {
    const app = await activateExtension();
    const editor = await openArticle();
    await app.editorContext.refresh();
    const currentRun = (): string | undefined => app.editorContext.current.run?.pipelineRunId;
    assert.equal(currentRun(), undefined);
    const { pipelineRunId: runId } = await startRun(editor);
    await waitFor('the run', () => currentRun() === runId);
    await run('writeit.document.polish', {
      uri: editor.document.uri.toString(),
      models: ['openai/say-Polished.'],
      apply: true,
    });
    await app.editorContext.refresh();
    assert.equal(currentRun(), runId, 'a polish became the run of the document');
  });

  test('a polish without a run is restored by the command of the palette', async () => {
    const app = await activateExtension();
    const editor = await openArticle();
    const before = editor.document.getText();
    await app.editorContext.refresh();
    assert.equal(contextKeys(app.editorContext.current)['canRestore'], false);
    await run('writeit.document.polish', {
      uri: editor.document.uri.toString(),
      models: ['openai/say-Polished.'],
      apply: true,
    });
    assert.notEqual(editor.document.getText(), before);
    assert.equal(contextKeys(app.editorContext.current)['hasRun'], false);
    assert.equal(contextKeys(app.editorContext.current)['canRestore'], true);
    await run('writeit.ui.document.restore');
    assert.equal(editor.document.getText(), before);
    assert.equal(contextKeys(app.editorContext.current)['canRestore'], false);
  });

  test('on the page of another step the palette generates the current step', async () => {
    const { pipelineRunId: runId } = await startRun(await openArticle());
    await execute('writeit.step.skip', { runId });
    await run('writeit.ui.step.open', { runId, step: 'angles' });
    await run('writeit.ui.step.run');
    const { steps } = await execute('writeit.run.show', { runId });
    assert.equal(steps['outline']?.status, 'RUNNING');
  });

  test('an exported run opens in an editor', async () => {
    const { pipelineRunId: runId } = await startRun(await openArticle());
    await completeRun(runId);
    const uri = await runAccepting<vscode.Uri>('writeit.ui.run.export', { runId });
    const document = vscode.window.activeTextEditor?.document;
    assert.equal(document?.uri.toString(), uri.toString());
    assert.match(document.getText(), /A first answer\./);
  });

  test('an activated run becomes the run of its document', async () => {
    const editor = await openArticle();
    const { pipelineRunId: first } = await startRun(editor);
    await startRun(editor);
    await run('writeit.ui.run.activate', { runId: first });
    const { activePipelineRunId } = await execute('writeit.session.show', {});
    assert.equal(activePipelineRunId, first);
  });

  test('a paused run is resumed', async () => {
    const { pipelineRunId: runId } = await startRun(await openArticle());
    await execute('writeit.step.run', { runId });
    await run('writeit.ui.run.pause', { runId });
    assert.equal((await execute('writeit.run.show', { runId })).status, 'PAUSED');
    await run('writeit.ui.run.resume', { runId });
    assert.equal((await execute('writeit.run.show', { runId })).status, 'RUNNING');
  });

  test('a search begins with the selection, and a hit is opened at its line', async () => {
    const models = { angles: ['openai/say-First.+0A+0AQuaggas+20drum.'] };
    const { pipelineRunId: runId } = await startRun(await openArticle(), { models });
    await execute('writeit.step.run', { runId });
    const isIndexed = async (): Promise<boolean> =>
      !(await execute('writeit.search', { text: 'quaggas' })).partial;
    await waitFor('the index', isIndexed);
    const editor = await openArticle('quaggas dr\n');
    editor.selection = new vscode.Selection(0, 0, 0, 10);
    const shown = await acceptUntil('writeit.ui.run.search', undefined, () => {
      const active = vscode.window.activeTextEditor;
      return active?.document.uri.scheme === 'writeit' ? active : undefined;
    });
    const line = shown.document.lineAt(shown.selection.active.line);
    assert.match(line.text, /Quaggas drum/);
  });
});
