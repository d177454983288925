import { strict as assert } from 'node:assert';
import * as vscode from 'vscode';
import { statusBarContent } from '../src/statusBar';
import {
  activateExtension,
  controlledAnswer,
  execute,
  group,
  lensesOf,
  openArticle,
  openDiff,
  polishParams,
  replaceText,
  run,
  waitFor,
  type Lens,
} from './harness';

const LINE = 5;
const RIVERS = `---
title: Rivers
---
# Rivers

The mills stand further down.

The end.
`;
const USER_TEXT = 'The mills stand up at the weir.';
const POLISHED = 'Downstream stand the mills.';
const COMMANDS = 'writeit.ui.conflict.';

/** Polish a passage, and change the same passage before the answer arrives. */
async function createConflict(text: string = RIVERS): Promise<vscode.TextEditor> {
  const app = await activateExtension();
  const editor = await openArticle(text);
  const uri = editor.document.uri.toString();
  const { model, write, end } = controlledAnswer();
  const params = { ...polishParams(editor, LINE, model), wait: false };
  const polishing = run('writeit.document.polish', params);
  await waitFor(
    'the run',
    async () => (await execute('writeit.run.list', { uri })).runs.length > 0,
  );
  await replaceText(editor, USER_TEXT, LINE);
  await write(POLISHED);
  await end();
  await polishing;
  await waitFor('the conflict', () => app.conflicts.all.some((conflicts) => conflicts.uri === uri));
  return editor;
}

function conflictLenses({ document }: vscode.TextEditor): Promise<Lens[]> {
  return lensesOf(document.uri, COMMANDS);
}

async function clickLens(editor: vscode.TextEditor, name: string): Promise<void> {
  const lens = (await conflictLenses(editor)).find(({ command }) => command === COMMANDS + name);
  assert.ok(lens, `there is no lens ${name}`);
  await run(lens.command, lens.argument);
}

group('conflict', (test) => {
  test('a conflict is shown by the status bar, lenses and a diff until the user decides', async () => {
    const app = await activateExtension();
    const editor = await createConflict();
    assert.equal(editor.document.lineAt(LINE).text, USER_TEXT);
    const { command, isWarning } = statusBarContent(app);
    assert.deepEqual([command, isWarning], ['writeit.ui.document.settle', true]);
    const lenses = (await conflictLenses(editor)).map((lens) => [lens.line, lens.command]);
    const names = ['compare', 'take', 'keep'];
    assert.deepEqual(
      lenses,
      names.map((name) => [LINE, COMMANDS + name]),
    );
    const diff = await waitFor('the diff', openDiff);
    assert.equal(diff.modified.toString(), editor.document.uri.toString());
    const proposed = await vscode.workspace.openTextDocument(diff.original);
    assert.equal(proposed.getText(), RIVERS.replace(/The mills.*/, POLISHED));
    const active = vscode.window.activeTextEditor?.viewColumn;
    assert.equal(active, editor.viewColumn, 'the document lost the focus');
    await clickLens(editor, 'keep');
    assert.deepEqual(app.conflicts.all, []);
    assert.equal(statusBarContent(app).isWarning, false);
    await waitFor('the diff to close', () => openDiff() === undefined);
    assert.deepEqual(await conflictLenses(editor), []);
    assert.equal(editor.document.lineAt(LINE).text, USER_TEXT);
  });

  test('the new text is inserted in one edit that one undo reverts', async () => {
    const app = await activateExtension();
    const editor = await createConflict();
    const before = editor.document.getText();
    await clickLens(editor, 'take');
    assert.equal(editor.document.getText(), RIVERS.replace(/The mills.*/, POLISHED));
    assert.deepEqual(app.conflicts.all, []);
    await vscode.window.showTextDocument(editor.document, editor.viewColumn);
    await run('undo');
    assert.equal(editor.document.getText(), before);
  });

  test('conflicts are found in a document with other line ends, too', async () => {
    const app = await activateExtension();
    const editor = await createConflict(RIVERS.replaceAll('\n', '\r\n'));
    assert.deepEqual(
      app.conflicts.all.flatMap(({ hunks }) => hunks),
      [{ line: LINE, userLines: [USER_TEXT], proposedLines: [POLISHED] }],
    );
    await clickLens(editor, 'take');
    assert.equal(
      editor.document.getText(),
      RIVERS.replace(/The mills.*/, POLISHED).replaceAll('\n', '\r\n'),
    );
  });

  test('a conflict moves with its text and ends when both texts are equal', async () => {
    const app = await activateExtension();
    const editor = await createConflict();
    await editor.edit((edit) => {
      edit.insert(new vscode.Position(LINE + 2, 0), 'More.\n\n');
      edit.insert(new vscode.Position(LINE - 2, 0), 'A line above.\n\n');
    });
    await waitFor(
      'the lens to move',
      async () => (await conflictLenses(editor))[0]?.line === LINE + 2,
    );
    await replaceText(editor, POLISHED, LINE + 2);
    await waitFor('the conflict to end', () => app.conflicts.all.length === 0);
  });

  test('a closed document has no conflicts', async () => {
    const app = await activateExtension();
    await createConflict();
    await run('workbench.action.closeAllEditors');
    await waitFor('the conflict to end', () => app.conflicts.all.length === 0);
  });

  test('the lens opens the comparison again, which does not resolve the conflict', async () => {
    const app = await activateExtension();
    const editor = await createConflict();
    await waitFor('the diff', openDiff);
    await run('workbench.action.closeEditorsInOtherGroups');
    await waitFor('the diff to close', () => openDiff() === undefined);
    await clickLens(editor, 'compare');
    await waitFor('the diff', openDiff);
    assert.equal(app.conflicts.all.length, 1);
  });
});
