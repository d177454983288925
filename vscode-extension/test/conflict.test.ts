import { strict as assert } from 'node:assert';
import * as vscode from 'vscode';
import { statusBarContent } from '../src/statusBar';
import { article, ask, dictated, extension, group, openDiff, run, until } from './harness';

const LINE = 5;
const RIVERS = `---
title: Rivers
---
# Rivers

The mills stand further down.

The end.
`;
const HERS = 'The mills stand up at the weir.';
const POLISHED = 'Downstream stand the mills.';

async function retype(editor: vscode.TextEditor, line: number, text: string): Promise<void> {
  const { range } = editor.document.lineAt(line);
  await editor.edit((edit) => {
    edit.replace(range, text);
  });
}

/** Have a passage polished, and change the same words before the answer is there. */
async function conflicting(text: string = RIVERS): Promise<vscode.TextEditor> {
  const app = await extension();
  const editor = await article(text);
  const uri = editor.document.uri.toString();
  const { model, say, end } = dictated();
  const polishing = run('writeit.document.polish', {
    uri,
    range: {
      start: { line: LINE, character: 0 },
      end: { line: LINE, character: 'The mills stand further down.'.length },
    },
    models: [model],
    apply: true,
    wait: false,
  });
  await until('the run', async () => (await ask('writeit.run.list', { uri })).runs.length > 0);
  await retype(editor, LINE, HERS);
  await say(POLISHED);
  await end();
  await polishing;
  await until('the conflict', () => app.conflicts.all.some((one) => one.uri === uri));
  return editor;
}

interface Shown {
  readonly line: number;
  readonly title: string;
  readonly click: () => Thenable<unknown>;
}

/** Our lenses of a document about words that stayed. */
async function lenses({ document }: vscode.TextEditor): Promise<Shown[]> {
  const all = await vscode.commands.executeCommand<vscode.CodeLens[]>(
    'vscode.executeCodeLensProvider',
    document.uri,
  );
  return all.flatMap(({ range, command }) =>
    command?.command.startsWith('writeit.ui.conflict.') === true
      ? [
          {
            line: range.start.line,
            title: command.title,
            click: () => run(command.command, command.arguments?.[0]),
          },
        ]
      : [],
  );
}

async function click(editor: vscode.TextEditor, title: string): Promise<void> {
  const lens = (await lenses(editor)).find((one) => one.title === title);
  assert.ok(lens, `there is no ${title}`);
  await lens.click();
}

group('conflict', (test) => {
  test('a polish that met her own words is said by status bar, lens and diff', async () => {
    const app = await extension();
    const editor = await conflicting();
    assert.equal(editor.document.lineAt(LINE).text, HERS);
    const face = statusBarContent(app);
    assert.match(face.text, /WriteIt: your own words stayed in 1 place$/);
    assert.match(face.tooltip, /the text of polish changed the same words of notes-\d+\.md/);
    assert.equal(face.warns, true);
    assert.deepEqual(
      (await lenses(editor)).map(({ line, title }) => [line, title]),
      [
        [LINE, 'Your words stayed: compare'],
        [LINE, 'Take the others'],
        [LINE, 'Keep mine'],
      ],
    );
    const diff = await until('the diff', openDiff);
    assert.equal(diff.modified.toString(), editor.document.uri.toString());
    const proposed = await vscode.workspace.openTextDocument(diff.original);
    assert.equal(proposed.getText(), RIVERS.replace(/The mills.*/, POLISHED));
    assert.equal(
      vscode.window.activeTextEditor?.viewColumn,
      editor.viewColumn,
      'the keys stay with her document',
    );
    await click(editor, 'Keep mine');
    assert.doesNotMatch(statusBarContent(app).text, /stayed/);
    await until('the diff to be closed', () => openDiff() === undefined);
    assert.deepEqual(await lenses(editor), []);
    assert.equal(editor.document.lineAt(LINE).text, HERS);
  });

  test('the other words are taken as one edit that one undo takes back', async () => {
    const app = await extension();
    const editor = await conflicting();
    const before = editor.document.getText();
    await click(editor, 'Take the others');
    assert.equal(editor.document.getText(), RIVERS.replace(/The mills.*/, POLISHED));
    assert.doesNotMatch(statusBarContent(app).text, /stayed/);
    await vscode.window.showTextDocument(editor.document, editor.viewColumn);
    await run('undo');
    assert.equal(editor.document.getText(), before);
  });

  test('it is found in a document with other line ends, too', async () => {
    const app = await extension();
    const editor = await conflicting(RIVERS.replaceAll('\n', '\r\n'));
    assert.deepEqual(
      app.conflicts.all.flatMap(({ hunks: places }) => places),
      [{ line: LINE, userLines: [HERS], proposedLines: [POLISHED] }],
    );
    await click(editor, 'Take the others');
    assert.equal(
      editor.document.getText(),
      RIVERS.replace(/The mills.*/, POLISHED).replaceAll('\n', '\r\n'),
    );
  });

  test('it is said as long as the words are apart, wherever they move', async () => {
    const app = await extension();
    const editor = await conflicting();
    await editor.edit((edit) => {
      edit.insert(new vscode.Position(LINE + 2, 0), 'More.\n\n');
      edit.insert(new vscode.Position(LINE - 2, 0), 'A line above.\n\n');
    });
    await until('the lens further down', async () => (await lenses(editor))[0]?.line === LINE + 2);
    assert.match(statusBarContent(app).text, /stayed in 1 place$/);
    await retype(editor, LINE + 2, POLISHED);
    await until('it to be settled', () => app.conflicts.all.length === 0);
    assert.doesNotMatch(statusBarContent(app).text, /stayed/);
  });

  test('a document that is closed has nothing to be settled', async () => {
    const app = await extension();
    await conflicting();
    await run('workbench.action.closeAllEditors');
    await until('it to be forgotten', () => app.conflicts.all.length === 0);
    assert.doesNotMatch(statusBarContent(app).text, /stayed/);
  });

  test('the comparison opens again from the lens, and nothing is settled by a look', async () => {
    const app = await extension();
    const editor = await conflicting();
    await until('the diff', openDiff);
    await run('workbench.action.closeEditorsInOtherGroups');
    await until('it to be closed', () => openDiff() === undefined);
    await click(editor, 'Your words stayed: compare');
    await until('the diff', openDiff);
    assert.equal(app.conflicts.all.length, 1);
  });
});
