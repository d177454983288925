import { strict as assert } from 'node:assert';
import * as vscode from 'vscode';
import {
  acceptInput,
  activateExtension,
  execute,
  group,
  lensesOf,
  openArticle,
  openTabs,
  polishParams,
  run,
  waitFor,
} from './harness';

const FIRST = 'The river is cold.';
const SECOND = 'The mills stand further down.';
const TEXT = `# Rivers\n\n${FIRST}\n\n${SECOND}\n\nThe end.\n`;
const NEW_FIRST = 'Cold runs the river.';
const NEW_SECOND = 'Downstream stand the mills.';
const AFTER = TEXT.replace(FIRST, NEW_FIRST).replace(SECOND, NEW_SECOND);
const UNDONE = { applied: true, conflicts: 0, pending: false };
const COMMANDS = 'writeit.document.';

function say(text: string): string {
  return `openai/say-${text.replaceAll(' ', '+20')}`;
}

/** A document in which two paragraphs were polished. */
async function polishedArticle(): Promise<vscode.TextEditor> {
  const app = await activateExtension();
  const editor = await openArticle(TEXT);
  await run('writeit.document.polish', polishParams(editor, 2, say(NEW_FIRST)));
  await run('writeit.document.polish', polishParams(editor, 4, say(NEW_SECOND)));
  assert.equal(editor.document.getText(), AFTER);
  await waitFor('two changes', () => app.changeReview.changesOf(editor.document.uri).length === 2);
  return editor;
}

function moveCursor(editor: vscode.TextEditor, line: number): void {
  editor.selection = new vscode.Selection(line, 0, line, 0);
}

group('change', (test) => {
  test('each changed block has lenses, and the quick diff shows the text before', async () => {
    const app = await activateExtension();
    const editor = await polishedArticle();
    const { uri } = editor.document;
    const lenses = await waitFor('the lenses', async () => {
      const found = await lensesOf(uri, COMMANDS);
      return found.length === 6 && found.map(({ line, command }) => [line, command]);
    });
    const [keep, revert] = [`${COMMANDS}keep`, `${COMMANDS}revert`];
    assert.deepEqual(lenses, [
      [2, keep],
      [2, revert],
      [2, keep],
      [2, revert],
      [4, keep],
      [4, revert],
    ]);
    const original = app.changeReview.provideOriginalResource(uri);
    assert.ok(original);
    const before = await vscode.workspace.openTextDocument(original);
    assert.equal(before.getText(), TEXT);
  });

  test('undo at the cursor is an edit that the editor undoes, and keep is remembered', async () => {
    const app = await activateExtension();
    const editor = await polishedArticle();
    const changed = async (count: number): Promise<void> => {
      const { uri } = editor.document;
      await waitFor('changes', () => app.changeReview.changesOf(uri).length === count);
    };
    moveCursor(editor, 0);
    await run('writeit.ui.change.next');
    assert.equal(editor.selection.active.line, 2);
    assert.deepEqual(await run('writeit.ui.change.undo'), UNDONE);
    assert.equal(editor.document.getText(), AFTER.replace(NEW_FIRST, FIRST));
    await changed(1);
    await run('undo');
    assert.equal(editor.document.getText(), AFTER);
    await changed(2);
    await run('writeit.ui.change.previous');
    assert.equal(editor.selection.active.line, 4);
    await run('writeit.ui.change.keep');
    await changed(1);
    assert.deepEqual(await run('writeit.ui.change.undoAll'), UNDONE);
    assert.equal(editor.document.getText(), TEXT.replace(SECOND, NEW_SECOND));
    await changed(0);
    const { uri } = editor.document;
    assert.equal(app.changeReview.provideOriginalResource(uri), undefined);
  });

  test('a button of the peek undoes the change that is shown', async () => {
    const editor = await polishedArticle();
    const shown = [
      { modifiedStartLineNumber: 3, modifiedEndLineNumber: 3 },
      { modifiedStartLineNumber: 5, modifiedEndLineNumber: 5 },
    ];
    await run('writeit.ui.peek.undo', editor.document.uri, shown, 1);
    assert.equal(editor.document.getText(), AFTER.replace(NEW_SECOND, SECOND));
    await run('writeit.ui.peek.keep', editor.document.uri, shown, 0);
    const uri = editor.document.uri.toString();
    assert.deepEqual((await execute('writeit.document.changes', { uri })).changes, []);
  });

  test('one line of instructions rewrites the paragraph at the cursor, and no page opens', async () => {
    const app = await activateExtension();
    const settings = vscode.workspace.getConfiguration('writeit');
    await settings.update('models.default', [say(NEW_FIRST)], vscode.ConfigurationTarget.Global);
    try {
      const editor = await openArticle(TEXT);
      moveCursor(editor, 2);
      await app.context.workspaceState.update('rewrite.instructions', ['begin with the cold']);
      const rewriting = run('writeit.ui.document.rewrite');
      await new Promise((resolve) => setTimeout(resolve, 300));
      await run('workbench.action.quickOpenSelectNext');
      await acceptInput();
      await rewriting;
      assert.equal(editor.document.getText(), TEXT.replace(FIRST, NEW_FIRST));
      assert.equal(openTabs().length, 1);
      const uri = editor.document.uri.toString();
      const [summary] = (await execute('writeit.run.list', { uri })).runs;
      assert.ok(summary);
      const shown = await execute('writeit.run.show', { runId: summary.runId });
      const prompt = Object.values(shown.steps)[0]?.aiResponses[0]?.promptUsed ?? '';
      assert.ok(prompt.includes('begin with the cold'), prompt);
    } finally {
      await settings.update('models.default', undefined, vscode.ConfigurationTarget.Global);
    }
  });
});
