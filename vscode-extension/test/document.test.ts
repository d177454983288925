import { strict as assert } from 'node:assert';
import * as vscode from 'vscode';
import type { PipelineRun } from '../src/protocol';
import { viewUri } from '../src/pages/uris';
import { accept, article, ask, extension, group, newRun, open, run, until } from './harness';

const BOUND = `---
writeit:
  pipeline: tech-article
  inputs: {target_audience: people by a river}
---
# Notes

A river.
`;

/** Start a run, accepting every question as it stands. */
async function startAccepting(command: string, argument: object): Promise<PipelineRun> {
  let started: PipelineRun | undefined;
  const starting = run(command, { pipeline: 'tech-article', ...argument }).then((result) => {
    started = result as PipelineRun;
  });
  await until('the run', async () => {
    await accept();
    return started;
  });
  await starting;
  assert.ok(started);
  return started;
}

group('document', (test) => {
  test('a lens starts at once where the front matter says all', async () => {
    const editor = await article(BOUND);
    const started = (await run('writeit.run.start', {
      pipeline: 'tech-article',
      uri: editor.document.uri.toString(),
    })) as PipelineRun;
    assert.equal(started.userInputs['target_audience'], 'people by a river');
  });

  test('what nobody said is asked for, with the default filled in', async () => {
    const editor = await article();
    const before = editor.document.getText();
    const uri = editor.document.uri.toString();
    const started = await startAccepting('writeit.run.start', { uri });
    assert.equal(started.userInputs['target_audience'], 'technical professionals');
    assert.equal(editor.document.getText(), before);
  });

  test('a command shows what the front matter says, filled in, before it starts', async () => {
    const editor = await article(BOUND);
    const pipeline = { pipeline: 'tech-article' };
    let hasEnded = false;
    const leaving = run('writeit.ui.document.start', pipeline).then((result) => {
      hasEnded = true;
      assert.equal(result, undefined, 'it started without a question');
    });
    await until('the question to be left', async () => {
      await run('workbench.action.closeQuickOpen');
      return hasEnded;
    });
    await leaving;
    const started = await startAccepting('writeit.ui.document.start', {});
    assert.equal(started.userInputs['target_audience'], 'people by a river');
    assert.equal(editor.document.getText(), BOUND);
  });

  test('the page of a run is about that run, whatever is active', async () => {
    const app = await extension();
    const { pipelineRunId: runId } = await newRun(await article());
    await newRun(await article());
    await run('writeit.ui.run.open', { runId });
    await until('the scene', () => app.editorContext.current.run?.pipelineRunId === runId);
  });

  test('a document opened in front of the pages adds no third column', async () => {
    const { pipelineRunId: first } = await newRun(await article());
    await run('writeit.ui.run.open', { runId: first }); // beside it, and active
    const [notes] = await vscode.workspace.findFiles('notes-*.md');
    assert.ok(notes);
    await vscode.window.showTextDocument(notes, { preview: false });
    await until('it to be in front', () => {
      return vscode.window.activeTextEditor?.document.uri.toString() === notes.toString();
    });
    await run('writeit.ui.step.open', { runId: first, step: 'angles' });
    await until('the page', () => open(viewUri('step', first, 'angles')));
    assert.equal(vscode.window.tabGroups.all.length, 2);
  });

  test('a page that cannot be read says so in words', async () => {
    const gone = viewUri('run', '00000000-0000-7000-8000-000000000000');
    const page = await vscode.workspace.openTextDocument(gone);
    assert.match(page.getText(), /# This page cannot be shown\n\n\w+/);
  });

  test('pages change when another command changes their run', async () => {
    const { pipelineRunId: runId } = await newRun(await article());
    await run('writeit.ui.run.open', { runId });
    await ask('writeit.step.skip', { runId });
    const page = open(viewUri('run', runId));
    await until('the page', () => page?.getText().includes('skipped'));
  });

  test('a page cannot be typed into', async () => {
    const { pipelineRunId: runId } = await newRun(await article());
    await run('writeit.ui.run.open', { runId });
    const page = await until('the page', () => open(viewUri('run', runId)));
    const before = page.getText();
    await run('type', { text: 'x' });
    assert.equal(page.getText(), before);
    assert.equal(page.isDirty, false);
  });

  test('the usage of all calls is a page', async () => {
    await run('writeit.ui.usage.open');
    const page = await until('the page', () => open(viewUri('usage')));
    assert.match(page.getText(), /^# /);
  });

  test('a prompt is previewed and nothing is sent', async () => {
    const { pipelineRunId: runId } = await newRun(await article());
    await run('writeit.ui.step.preview', { runId, step: 'angles' });
    const page = await until('the page', () => open(viewUri('prompt', runId, 'angles')));
    assert.match(page.getText(), /A river is moving water/);
    const { steps } = await ask('writeit.run.show', { runId });
    assert.equal(steps['angles']?.status, 'PENDING');
  });
});
