import { strict as assert } from 'node:assert';
import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import * as vscode from 'vscode';
import { compareWithDocument } from '../src/apply/applyOutcome';
import type { StepApplyResult } from '../src/protocol';
import { statusBarContent } from '../src/statusBar';
import {
  acceptUntil,
  activateExtension,
  completeRun,
  execute,
  group,
  NOTES,
  openArticle,
  openDiff,
  polishParams,
  replaceText,
  run,
  startRun,
  waitFor,
} from './harness';

/** Types at the start of the document without a pause, until the returned function is called. */
function typeContinuously(editor: vscode.TextEditor): () => Promise<void> {
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
const POLISHED = '# Rivers\n\nDownstream stand the mills.\n\nThe end.\n';
const POLISH_MODEL = 'openai/say-Downstream+20stand+20the+20mills.';
const LINE = 2;

/** A document with a run all of whose steps are completed. */
async function completedRun(output: string, text?: string, stem?: string): Promise<Completed> {
  const editor = await openArticle(text, stem);
  const { pipelineRunId: runId } = await startRun(editor, { output });
  await completeRun(runId);
  return { editor, runId, before: editor.document.getText() };
}

interface Completed {
  readonly editor: vscode.TextEditor;
  readonly runId: string;
  readonly before: string;
}

async function apply(runId: string): Promise<StepApplyResult> {
  return (await run('writeit.ui.document.apply', { runId })) as StepApplyResult;
}

group('apply', (test) => {
  test('a text is applied in one edit that one undo reverts', async () => {
    const { editor, runId, before } = await completedRun('replace');
    const { applied } = await apply(runId);
    assert.ok(applied);
    assert.equal(editor.document.getText(), 'A first answer.\n');
    await vscode.window.showTextDocument(editor.document);
    await run('undo');
    assert.equal(editor.document.getText(), before);
  });

  test('the document is saved only if the setting says so', async () => {
    const section = vscode.workspace.getConfiguration('writeit');
    for (const saves of [true, false]) {
      await section.update('autoSave', saves, vscode.ConfigurationTarget.Global);
      const { editor, runId } = await completedRun('replace');
      await apply(runId);
      assert.equal(editor.document.isDirty, !saves);
    }
    await section.update('autoSave', undefined, vscode.ConfigurationTarget.Global);
  });

  test('in a conflict the user’s version is kept, and both can be compared', async () => {
    const app = await activateExtension();
    const { editor, runId } = await completedRun('replace');
    await replaceText(
      editor,
      '# Notes on rivers\n\nA river is what I say it is.\n\nIt ends at a mouth.\n',
    );
    const result = await apply(runId);
    assert.ok(result.conflicts.length > 0);
    assert.match(editor.document.getText(), /what I say it is/);
    const { command } = statusBarContent(app);
    assert.equal(command, 'writeit.ui.document.settle');
    const diff = await acceptUntil(command, undefined, openDiff); // the first item: compare
    assert.equal(diff.modified.toString(), result.uri);
    const proposed = await vscode.workspace.openTextDocument(diff.original);
    assert.equal(proposed.getText(), 'A first answer.\n');
    assert.equal(app.conflicts.all.length, 1, 'a comparison resolved the conflict');
  });

  test('a polished passage waits while the user types, and the status bar applies it', async () => {
    const app = await activateExtension();
    const editor = await openArticle(RIVERS);
    const stop = typeContinuously(editor);
    await run('writeit.document.polish', polishParams(editor, LINE, POLISH_MODEL));
    await stop();
    assert.equal(app.pendingApplies.all.length, 1, 'it did not wait');
    const { command, isWarning } = statusBarContent(app);
    assert.equal(isWarning, true);
    await acceptUntil(command, undefined, () => editor.document.getText().includes('Downstream'));
    assert.equal(editor.document.getText().replace(/^\d+/, ''), POLISHED);
    assert.equal(statusBarContent(app).isWarning, false);
  });

  test('a comparison shows the whole document, with its front matter', async () => {
    const app = await activateExtension();
    const { editor, runId } = await completedRun('replace', `---\ntitle: Rivers\n---\n${RIVERS}`);
    await compareWithDocument(app, runId, 'polish', editor.document.uri.toString());
    const diff = await waitFor('the comparison', openDiff);
    const proposed = await vscode.workspace.openTextDocument(diff.original);
    assert.equal(proposed.getText(), '---\ntitle: Rivers\n---\nA first answer.\n');
  });

  test('a text that waits while the user types can be applied afterwards', async () => {
    const app = await activateExtension();
    const { editor, runId } = await completedRun('insert');
    const stop = typeContinuously(editor);
    const first = await apply(runId);
    await stop();
    assert.equal(first.pending || first.applied, true);
    assert.equal(app.pendingApplies.all.length, first.pending ? 1 : 0);
    const second = await apply(runId);
    assert.ok(second.applied);
    assert.equal(app.pendingApplies.all.length, 0);
    assert.match(editor.document.getText(), /A first answer\./);
  });

  for (const [name, hinder, help] of [
    ['was deleted', (path: string) => rm(path), (path: string) => writeFile(path, NOTES)],
    [
      'is read-only',
      () => run('workbench.action.files.setActiveEditorReadonlyInSession'),
      () => run('workbench.action.files.setActiveEditorWriteableInSession'),
    ],
  ] as const) {
    test(`nothing is written to a file that ${name}, and the text waits`, async () => {
      const { editor, runId } = await completedRun('replace', NOTES);
      const { fsPath } = editor.document.uri;
      await hinder(fsPath);
      const { pending } = await apply(runId);
      assert.deepEqual([pending, editor.document.getText()], [true, NOTES]);
      assert.equal(existsSync(fsPath), name === 'is read-only');
      await help(fsPath);
      assert.ok((await apply(runId)).applied);
    });
  }

  test('restore brings back the previous text', async () => {
    const { editor, runId, before } = await completedRun('replace');
    await apply(runId);
    assert.notEqual(editor.document.getText(), before);
    await run('writeit.ui.document.restore', { runId });
    assert.equal(editor.document.getText(), before);
  });

  test('a passage is rewritten in place', async () => {
    const editor = await openArticle(RIVERS);
    const params = polishParams(editor, LINE, POLISH_MODEL);
    await run('writeit.document.polish', { ...params, wait: false });
    await waitFor('the passage', () => editor.document.getText().includes('Downstream'));
    assert.equal(editor.document.getText(), POLISHED);
    assert.equal(vscode.window.visibleTextEditors.length, 1);
  });

  test('a file name with blanks and accents works in both directions', async () => {
    const app = await activateExtension();
    const { editor, runId } = await completedRun(
      'replace',
      '# Été\n\nThe mills stand.\n',
      'my notes (été)',
    );
    await editor.edit((edit) => {
      edit.insert(new vscode.Position(0, 0), 'Unsaved. ');
    });
    const result = await apply(runId);
    assert.equal(result.uri, editor.document.uri.toString());
    assert.equal(editor.document.isDirty, true);
    assert.match(editor.document.getText(), /A first answer\.|Unsaved\./);
    await vscode.window.showTextDocument(editor.document);
    await app.editorContext.refresh();
    assert.equal(app.editorContext.current.run?.pipelineRunId, runId);
  });

  test('several answers for a passage open the page and change no text', async () => {
    const editor = await openArticle(RIVERS);
    const params = polishParams(editor, LINE, 'openai/say-One.');
    const models = ['openai/say-One.', 'openai/say-Two.'];
    await run('writeit.document.polish', { ...params, models });
    await waitFor('the page', () =>
      vscode.window.visibleTextEditors.some(({ document }) => document.uri.scheme === 'writeit'),
    );
    assert.equal(editor.document.getText(), RIVERS);
  });

  test('a new article is a file of its own', async () => {
    const { runId } = await completedRun('new_file');
    const { uri } = await apply(runId);
    const article = await vscode.workspace.openTextDocument(vscode.Uri.parse(uri));
    assert.equal(article.getText().trim(), 'A first answer.');
    assert.equal(vscode.window.activeTextEditor?.document, article, 'it is not shown');
  });

  test('choosing the last answer and continuing applies it', async () => {
    const editor = await openArticle();
    const { pipelineRunId: runId } = await startRun(editor, { output: 'replace' });
    for (const step of ['angles', 'outline', 'draft']) {
      await execute('writeit.step.run', { runId, step });
      await execute('writeit.step.select', { runId, response: 0 });
    }
    await execute('writeit.step.run', { runId });
    await run('writeit.step.select', { runId, response: 0, goOn: true, wait: false });
    assert.equal(editor.document.getText(), 'A first answer.\n');
  });
});
