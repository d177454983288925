import { strict as assert } from 'node:assert';
import * as vscode from 'vscode';
import type { StepApplyResult } from '../src/protocol';
import { compareWithDocument } from '../src/apply/applyOutcome';
import { statusBarContent } from '../src/statusBar';
import {
  accept,
  article,
  ask,
  extension,
  finish,
  group,
  newRun,
  openDiff,
  run,
  until,
} from './harness';

async function retype(editor: vscode.TextEditor, text: string): Promise<void> {
  const { document } = editor;
  const end = document.lineAt(document.lineCount - 1).range.end;
  await editor.edit((edit) => {
    edit.replace(new vscode.Range(new vscode.Position(0, 0), end), text);
  });
}

/** Types at the beginning, without a pause, until the returned function is called. */
function typing(editor: vscode.TextEditor): () => Promise<void> {
  const stop = new AbortController();
  const typed = (async () => {
    for (let count = 0; !stop.signal.aborted; count += 1) {
      await editor.edit((edit) => {
        edit.insert(new vscode.Position(0, 0), String(count % 10));
      });
    }
  })();
  return () => {
    stop.abort();
    return typed;
  };
}

const RIVERS = '# Rivers\n\nThe mills stand further down.\n\nThe end.\n';

/** Rewrite the passage of `RIVERS` in its place while she types, so that it has to wait. */
async function polishWhileTyping(editor: vscode.TextEditor): Promise<void> {
  const app = await extension();
  const stop = typing(editor);
  await run('writeit.document.polish', {
    uri: editor.document.uri.toString(),
    range: { start: { line: 2, character: 0 }, end: { line: 2, character: 29 } },
    models: ['openai/say-Downstream%20stand%20the%20mills.'],
    apply: true,
  });
  await stop();
  assert.equal(app.pendingApplies.all.length, 1, 'it did not have to wait');
}

group('apply', (test) => {
  test('a text comes into the document as one edit that one undo takes back', async () => {
    const editor = await article();
    const before = editor.document.getText();
    const { pipelineRunId: runId } = await newRun(editor, { output: 'replace' });
    await finish(runId);
    const result = (await run('writeit.ui.document.apply', { runId })) as StepApplyResult;
    assert.ok(result.applied);
    assert.equal(editor.document.getText(), 'A first answer.\n');
    await vscode.window.showTextDocument(editor.document);
    await run('undo');
    assert.equal(editor.document.getText(), before);
  });

  test('the article is saved where the setting says so, and else left dirty', async () => {
    const section = vscode.workspace.getConfiguration('writeit');
    for (const saves of [true, false]) {
      await section.update('autoSave', saves, vscode.ConfigurationTarget.Global);
      const editor = await article();
      const { pipelineRunId: runId } = await newRun(editor, { output: 'replace' });
      await finish(runId);
      await run('writeit.ui.document.apply', { runId });
      assert.equal(editor.document.isDirty, !saves);
    }
    await section.update('autoSave', undefined, vscode.ConfigurationTarget.Global);
  });

  test('where both changed the same words hers stay, and both can be compared', async () => {
    const editor = await article();
    const { pipelineRunId: runId } = await newRun(editor, { output: 'replace' });
    await finish(runId);
    const mine = '# Notes on rivers\n\nA river is what I say it is.\n\nIt ends at a mouth.\n';
    await retype(editor, mine);
    const result = (await run('writeit.ui.document.apply', { runId })) as StepApplyResult;
    assert.ok(result.conflicts.length > 0);
    assert.match(editor.document.getText(), /what I say it is/);
    const app = await extension();
    assert.match(statusBarContent(app).text, /your own words stayed in 1 place$/);
    const settling = run('writeit.ui.document.settle'); // the first of it: compare
    const diff = await until('the comparison', async () => {
      await accept();
      return openDiff();
    });
    await settling;
    assert.equal(diff.modified.toString(), result.uri);
    const proposed = await vscode.workspace.openTextDocument(diff.original);
    assert.equal(proposed.getText(), 'A first answer.\n');
    assert.match(statusBarContent(app).text, /stayed/, 'to look is not to settle');
  });

  test('a polished passage that waits is in the status bar, with what a click does', async () => {
    const app = await extension();
    const editor = await article(RIVERS);
    await polishWhileTyping(editor);
    const face = statusBarContent(app);
    assert.match(face.text, /WriteIt: a text waits$/);
    assert.match(face.tooltip, /waits for notes-\d+\.md.*Click to put it in its place/);
    const settling = run(face.command);
    await until('the passage', async () => {
      await accept();
      return editor.document.getText().includes('Downstream');
    });
    await settling;
    assert.equal(
      editor.document.getText().replace(/^\d+/, ''),
      RIVERS.replace(/The mills.*/, 'Downstream stand the mills.'),
    );
    assert.match(statusBarContent(app).text, /WriteIt/);
    assert.doesNotMatch(statusBarContent(app).text, /waits/);
  });

  test('a comparison shows the whole document with the text in it, front matter and all', async () => {
    const app = await extension();
    const editor = await article(`---\ntitle: Rivers\n---\n${RIVERS}`);
    const { pipelineRunId: runId } = await newRun(editor, { output: 'replace' });
    await finish(runId);
    await compareWithDocument(app, runId, 'polish', editor.document.uri.toString());
    const diff = await until('the comparison', openDiff);
    const proposed = await vscode.workspace.openTextDocument(diff.original);
    assert.equal(proposed.getText(), '---\ntitle: Rivers\n---\nA first answer.\n');
  });

  test('a text that comes while she types waits, is said to wait, and lands afterwards', async () => {
    const app = await extension();
    const editor = await article();
    const { pipelineRunId: runId } = await newRun(editor, { output: 'insert' });
    await finish(runId);
    const stop = typing(editor);
    const first = (await run('writeit.ui.document.apply', { runId })) as StepApplyResult;
    await stop();
    assert.equal(first.pending || first.applied, true);
    assert.equal(app.pendingApplies.all.length, first.pending ? 1 : 0);
    const second = (await run('writeit.ui.document.apply', { runId })) as StepApplyResult;
    assert.ok(second.applied);
    assert.equal(app.pendingApplies.all.length, 0);
    assert.match(editor.document.getText(), /A first answer\./);
  });

  test('restoring brings back the text as it was', async () => {
    const editor = await article();
    const before = editor.document.getText();
    const { pipelineRunId: runId } = await newRun(editor, { output: 'replace' });
    await finish(runId);
    await run('writeit.ui.document.apply', { runId });
    assert.notEqual(editor.document.getText(), before);
    await run('writeit.ui.document.restore', { runId });
    assert.equal(editor.document.getText(), before);
  });

  test('a passage is rewritten in its place', async () => {
    const editor = await article('# Rivers\n\nThe mills stand further down.\n\nThe end.\n');
    editor.selection = new vscode.Selection(2, 0, 2, 29);
    await run('writeit.document.polish', {
      uri: editor.document.uri.toString(),
      range: { start: { line: 2, character: 0 }, end: { line: 2, character: 29 } },
      models: ['openai/say-Downstream%20stand%20the%20mills.'],
      apply: true,
      wait: false,
    });
    await until('the passage', () => editor.document.getText().includes('Downstream'));
    assert.equal(
      editor.document.getText(),
      '# Rivers\n\nDownstream stand the mills.\n\nThe end.\n',
    );
    assert.equal(vscode.window.visibleTextEditors.length, 1);
  });

  test('a name with blanks and accents is the same document to both sides', async () => {
    const editor = await article('# Été\n\nThe mills stand.\n', 'my notes (été)');
    const { pipelineRunId: runId } = await newRun(editor, { output: 'replace' });
    await finish(runId);
    await editor.edit((edit) => {
      edit.insert(new vscode.Position(0, 0), 'Unsaved. ');
    });
    const result = (await run('writeit.ui.document.apply', { runId })) as StepApplyResult;
    assert.equal(result.uri, editor.document.uri.toString());
    assert.equal(editor.document.isDirty, true);
    assert.match(editor.document.getText(), /A first answer\.|Unsaved\./);
    await vscode.window.showTextDocument(editor.document);
    const app = await extension();
    await app.editorContext.refresh();
    assert.equal(app.editorContext.current.run?.pipelineRunId, runId);
  });

  test('of several rewritings the page opens and the text stays', async () => {
    const editor = await article('# Rivers\n\nThe mills stand further down.\n');
    await run('writeit.document.polish', {
      uri: editor.document.uri.toString(),
      range: { start: { line: 2, character: 0 }, end: { line: 2, character: 29 } },
      models: ['openai/say-One.', 'openai/say-Two.'],
      apply: true,
    });
    await until('the page', () =>
      vscode.window.visibleTextEditors.some(({ document }) => document.uri.scheme === 'writeit'),
    );
    assert.match(editor.document.getText(), /further down/);
  });

  test('a new article is a file of its own and is opened', async () => {
    const editor = await article();
    const { pipelineRunId: runId } = await newRun(editor, { output: 'new_file' });
    await finish(runId);
    const result = (await run('writeit.ui.document.apply', { runId })) as StepApplyResult;
    const made = await vscode.workspace.openTextDocument(vscode.Uri.parse(result.uri));
    assert.equal(made.getText().trim(), 'A first answer.');
    await ask('writeit.run.show', { runId });
  });
});
