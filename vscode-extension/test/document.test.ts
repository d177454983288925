import { strict as assert } from 'node:assert';
import * as vscode from 'vscode';
import type { PipelineRun } from '../src/protocol';
import { viewUri } from '../src/pages/uris';
import {
  activateExtension,
  execute,
  group,
  openArticle,
  openedDocument,
  run,
  runAccepting,
  startRun,
  waitFor,
} from './harness';

const BOUND_NOTES = `---
writeit:
  pipeline: tech-article
  inputs: {target_audience: people by a river}
---
# Notes

A river.
`;

function startAccepting(command: string, argument: object): Promise<PipelineRun> {
  return runAccepting(command, { pipeline: 'tech-article', ...argument });
}

group('document', (test) => {
  test('a lens asks nothing if the front matter gives all inputs', async () => {
    const editor = await openArticle(BOUND_NOTES);
    const started = (await run('writeit.run.start', {
      pipeline: 'tech-article',
      uri: editor.document.uri.toString(),
    })) as PipelineRun;
    assert.equal(started.userInputs['target_audience'], 'people by a river');
  });

  test('a missing input is asked for, with its default filled in', async () => {
    const editor = await openArticle();
    const before = editor.document.getText();
    const uri = editor.document.uri.toString();
    const started = await startAccepting('writeit.run.start', { uri });
    assert.equal(started.userInputs['target_audience'], 'technical professionals');
    assert.equal(editor.document.getText(), before);
  });

  test('a command asks for all inputs, with the front matter filled in', async () => {
    const editor = await openArticle(BOUND_NOTES);
    const pipeline = { pipeline: 'tech-article' };
    let hasEnded = false;
    const cancelling = run('writeit.ui.document.start', pipeline).then((result) => {
      hasEnded = true;
      assert.equal(result, undefined, 'it started without a question');
    });
    await waitFor('the question to be cancelled', async () => {
      await run('workbench.action.closeQuickOpen');
      return hasEnded;
    });
    await cancelling;
    const started = await startAccepting('writeit.ui.document.start', {});
    assert.equal(started.userInputs['target_audience'], 'people by a river');
    assert.equal(editor.document.getText(), BOUND_NOTES);
  });

  test('the page of a run belongs to that run, whichever is active', async () => {
    const app = await activateExtension();
    const { pipelineRunId: runId } = await startRun(await openArticle());
    await startRun(await openArticle());
    await run('writeit.ui.run.open', { runId });
    await waitFor('the context', () => app.editorContext.current.run?.pipelineRunId === runId);
  });

  test('a document that covers the pages adds no third column', async () => {
    const { pipelineRunId: first } = await startRun(await openArticle());
    await run('writeit.ui.run.open', { runId: first }); // beside it, and active
    const [notes] = await vscode.workspace.findFiles('notes-*.md');
    assert.ok(notes);
    await vscode.window.showTextDocument(notes, { preview: false });
    await waitFor('it to be active', () => {
      return vscode.window.activeTextEditor?.document.uri.toString() === notes.toString();
    });
    await run('writeit.ui.step.open', { runId: first, step: 'angles' });
    await waitFor('the page', () => openedDocument(viewUri('step', first, 'angles')));
    assert.equal(vscode.window.tabGroups.all.length, 2);
  });

  test('a page that cannot be read says why', async () => {
    const gone = viewUri('run', '00000000-0000-7000-8000-000000000000');
    const page = await vscode.workspace.openTextDocument(gone);
    assert.match(page.getText(), /^# .+\n\n\w+/);
  });

  test('pages change with their run', async () => {
    const { pipelineRunId: runId } = await startRun(await openArticle());
    await run('writeit.ui.run.open', { runId });
    const page = await waitFor('the page', () => openedDocument(viewUri('run', runId)));
    const before = page.getText();
    await execute('writeit.step.skip', { runId });
    await waitFor('the page to change', () => page.getText() !== before);
  });

  test('a page is read-only', async () => {
    const { pipelineRunId: runId } = await startRun(await openArticle());
    await run('writeit.ui.run.open', { runId });
    const page = await waitFor('the page', () => openedDocument(viewUri('run', runId)));
    const before = page.getText();
    await run('type', { text: 'x' });
    assert.equal(page.getText(), before);
    assert.equal(page.isDirty, false);
  });

  test('usage and cost open as a page', async () => {
    await run('writeit.ui.usage.open');
    const page = await waitFor('the page', () => openedDocument(viewUri('usage')));
    assert.match(page.getText(), /^# /);
  });

  test('a preview of the prompt sends nothing', async () => {
    const { pipelineRunId: runId } = await startRun(await openArticle());
    await run('writeit.ui.step.preview', { runId, step: 'angles' });
    const page = await waitFor('the page', () =>
      openedDocument(viewUri('prompt', runId, 'angles')),
    );
    assert.match(page.getText(), /A river is moving water/);
    const { steps } = await execute('writeit.run.show', { runId });
    assert.equal(steps['angles']?.status, 'PENDING');
  });
});
