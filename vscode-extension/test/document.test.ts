import { strict as assert } from 'node:assert';
import * as vscode from 'vscode';
import type { PipelineRun } from '../src/protocol';
import { perform } from '../src/desk/deskActs';
import type { ActOf, ShownRemark } from '../src/desk/messages';
import { readRemarks } from '../src/desk/remarks';
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

const REMARK = {
  quote: 'The mill was build in 1702.',
  kind: 'grammar',
  remark: 'The participle is built.',
  replacement: 'The mill was built in 1702.',
};

/** A document of one sentence, and a review of it that makes one remark. */
async function startReview(): Promise<{ document: vscode.TextDocument; runId: string }> {
  const { document } = await openArticle(`# Notes\n\n${REMARK.quote}\n`);
  const said = encodeURIComponent(JSON.stringify({ remarks: [REMARK] })).replaceAll('%', '+');
  const { pipelineRunId: runId } = (await run('writeit.run.start', {
    pipeline: 'review-clarity',
    uri: document.uri.toString(),
    models: { review: [`openai/say-${said}`] },
  })) as PipelineRun;
  return { document, runId };
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

  test('remarks of a review are marked; a suggestion is one change', async () => {
    const { document } = await startReview();
    const text = document.getText();
    const marked = await waitFor(
      'the remark',
      () => vscode.languages.getDiagnostics(document.uri)[0],
    );
    assert.equal(marked.code, 'grammar');
    assert.equal(document.getText(), text);
    const actions = await vscode.commands.executeCommand<vscode.CodeAction[]>(
      'vscode.executeCodeActionProvider',
      document.uri,
      marked.range,
    );
    const action = actions.find(({ title }) => title.includes('Apply the suggestion'));
    assert.ok(action?.command);
    const [argument] = action.command.arguments as [object];
    await run(action.command.command, argument);
    await waitFor('the change', () => document.getText() === text.replace('build', 'built'));
    await vscode.window.showTextDocument(document);
    await run('undo');
    assert.equal(document.getText(), text);
  });

  test('the page of a review shows, applies and dismisses its remarks', async () => {
    const { document, runId } = await startReview();
    const app = await activateExtension();
    const remarks = async (): Promise<ShownRemark[]> =>
      readRemarks(app.server, await execute('writeit.run.show', { runId }));
    const act = async (what: ActOf<'remark'>['what']): Promise<void> => {
      const { remarkId } = await waitFor('the remark', async () => (await remarks())[0]);
      await perform(app, { runId, step: 'review' }, { act: 'remark', remarkId, what });
    };
    await act('show');
    await waitFor('its words to be selected', () => {
      const active = vscode.window.activeTextEditor;
      return active?.document.getText(active.selection) === REMARK.quote;
    });
    await act('apply');
    await waitFor('the change', () => document.getText().includes(REMARK.replacement));
    assert.deepEqual(await remarks(), []);
    await vscode.window.showTextDocument(document);
    await run('undo');
    await act('dismiss');
    assert.deepEqual(await remarks(), []);
    await perform(app, { runId, step: 'review' }, { act: 'restoreRemarks' });
    assert.equal((await remarks())[0]?.about, 'grammar · line 3');
  });

  test('a fact that the notes do not have is a hint with actions', async () => {
    const editor = await openArticle('# Notes\n\nIt takes 40 ms.\n');
    const { uri } = editor.document;
    const { pipelineRunId: runId } = await startRun(editor);
    await execute('writeit.step.run', { runId });
    await execute('writeit.step.select', { runId, response: 0, content: 'It takes 45 ms.' });
    await execute('writeit.step.apply', { runId, mode: 'replace' });
    const hint = await waitFor('the hint', () =>
      vscode.languages.getDiagnostics(uri).find(({ code }) => code === 'not-in-notes'),
    );
    assert.equal(editor.document.getText(hint.range), '45 ms');
    const actions = await vscode.commands.executeCommand<vscode.CodeAction[]>(
      'vscode.executeCodeActionProvider',
      uri,
      hint.range,
    );
    const ignore = actions.find(({ title }) => title === 'WriteIt: Ignore here');
    assert.ok(ignore?.command, actions.map(({ title }) => title).join());
    const [argument] = (ignore.command.arguments ?? []) as object[];
    await run(ignore.command.command, argument);
    await waitFor('the hint to go', () => vscode.languages.getDiagnostics(uri).length === 0);
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
