import { strict as assert } from 'node:assert';
import * as vscode from 'vscode';
import type { PipelineRun, StepState } from '../src/protocol';
import { viewUri } from '../src/uris';
import { article, ask, group, newRun, open, run, until } from './harness';

const SLOW = 'openai/paced-50-100';

/** Our own lenses of a page, as they stand now: the line, and the answer they are about. */
async function lensesOf(page: vscode.TextDocument, title: string): Promise<[number, unknown][]> {
  const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>(
    'vscode.executeCodeLensProvider',
    page.uri,
  );
  return lenses
    .filter(({ command }) => command?.title === title)
    .map(({ range, command }) => [range.start.line, command?.arguments?.[0]]);
}

const LINES = 'openai/lines-100-3000';

/** Once the editor has said where its cursor is. */
async function selected(page: vscode.TextEditor): Promise<void> {
  await new Promise<void>((resolve) => {
    const heard = vscode.window.onDidChangeTextEditorSelection(({ textEditor, kind }) => {
      if (textEditor === page && kind !== undefined) {
        heard.dispose();
        resolve();
      }
    });
  });
}

/** The page of a step in whose answer a hundred lines a second come, and its editor. */
async function growing(): Promise<{
  runId: string;
  page: vscode.TextEditor;
  asked: Thenable<unknown>;
}> {
  const { pipelineRunId: runId } = await newRun(await article(), { models: { angles: [LINES] } });
  const asked = run('writeit.ui.step.run', { runId, step: 'angles' });
  const uri = viewUri('step', runId, 'angles').toString();
  const page = await until('the page', () =>
    vscode.window.visibleTextEditors.find(({ document }) => document.uri.toString() === uri),
  );
  await until('some lines', () => page.document.getText().includes('Line 3\n'));
  return { runId, page, asked };
}

group('step', (test) => {
  test('an answer grows in a page beside the document, which stays as it is', async () => {
    const editor = await article();
    const text = editor.document.getText();
    const { pipelineRunId: runId } = await newRun(editor, { models: { angles: [SLOW] } });
    const asked = run('writeit.ui.step.run', { runId, step: 'angles' });
    const page = await until('the page', () => open(viewUri('step', runId, 'angles')));
    await until('some words', () => page.getText().includes('word5'));
    assert.ok(!page.getText().includes('word99'), 'it came at once');
    const early = page.getText();
    await until('more words', () => page.getText().length > early.length);
    const step = (await asked) as StepState;
    assert.equal(step.aiResponses.length, 1);
    await until('the last word', () => page.getText().includes('word99'));
    assert.equal(editor.document.getText(), text);
    assert.equal(editor.document.isDirty, false);
  });

  test('a click on a lens gets the page, and its answer, like a command of the palette', async () => {
    const editor = await article();
    const { pipelineRunId: runId } = await newRun(editor);
    await vscode.window.showTextDocument(editor.document);
    const lens = await until('the lens', async () => {
      const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>(
        'vscode.executeCodeLensProvider',
        editor.document.uri,
      );
      return lenses.find(({ command }) => command?.command === 'writeit.step.run');
    });
    assert.equal((lens.command?.arguments?.[0] as { wait: boolean }).wait, false);
    const step = (await run('writeit.step.run', lens.command?.arguments?.[0])) as StepState;
    assert.equal(step.aiResponses[0]?.processedContent, 'A first answer.');
    assert.ok(open(viewUri('step', runId, 'angles')));
  });

  test('choosing completes the step', async () => {
    const { pipelineRunId: runId } = await newRun(await article());
    await ask('writeit.step.run', { runId });
    const after = (await run('writeit.ui.step.choose', {
      runId,
      step: 'angles',
      response: 0,
    })) as PipelineRun;
    assert.equal(after.currentStep, 'outline');
    assert.equal(after.steps['angles']?.userSelection, 0);
  });

  test('stopping keeps what came', async () => {
    const editor = await article();
    const { pipelineRunId: runId } = await newRun(editor, {
      models: { angles: ['openai/paced-20-2000'] },
    });
    const asked = run('writeit.ui.step.run', { runId, step: 'angles' });
    const page = await until('the page', () => open(viewUri('step', runId, 'angles')));
    await until('some words', () => page.getText().includes('word3'));
    await run('writeit.ui.run.pause', { runId });
    await asked;
    const { steps } = await ask('writeit.run.show', { runId });
    const [answer] = steps['angles']?.aiResponses ?? [];
    assert.equal(answer?.partial, true);
    assert.match(answer.rawOutput, /word3/);
  });

  test('no line of a page is for programs, while answers come and afterwards', async () => {
    const { runId, page, asked } = await growing();
    const { document } = page;
    assert.doesNotMatch(document.getText(), /writeit:/);
    await run('writeit.ui.run.pause', { runId });
    await asked;
    await until('the answer', () => document.getText().includes('## Answer 1'));
    assert.doesNotMatch(document.getText(), /writeit:/);
  });

  test('lenses stand at the text of the answer they are about, also while another grows', async () => {
    const { pipelineRunId: runId } = await newRun(await article(), {
      models: { angles: [LINES, 'openai/say-All%20here.'] },
    });
    const asked = run('writeit.ui.step.run', { runId, step: 'angles' });
    const page = await until('the page', () => open(viewUri('step', runId, 'angles')));
    await until('the answer', () => page.getText().includes('All here.'));
    let seen = 0;
    await until('lenses at the right line, three times over', async () => {
      const before = page.version;
      const lenses = await lensesOf(page, 'Reword, then choose…');
      if (page.version === before && lenses.length === 1) {
        const [[line, target] = [-1, undefined]] = lenses;
        assert.equal(page.lineAt(line).text, 'All here.');
        assert.deepEqual(target, { runId, step: 'angles', response: 0 });
        seen += 1;
      }
      return seen >= 3;
    });
    await run('writeit.ui.run.pause', { runId });
    await asked;
    await until('both', async () => (await lensesOf(page, 'Rate…')).length === 2);
    assert.equal((await lensesOf(page, 'Give feedback…')).length, 1);
  });

  test('with the cursor at its end a growing answer stays in sight, and the cursor where it is', async () => {
    const { runId, page, asked } = await growing();
    await vscode.window.showTextDocument(page.document, page.viewColumn);
    const { document } = page;
    const end = (): number =>
      document
        .getText()
        .split('\n')
        .findIndex((text) => text.includes('more is coming'));
    const cursorsLine = (): string => document.lineAt(page.selection.active.line).text;
    // The text may grow between the look and the click: she clicks again then.
    await until('the cursor at the end', async () => {
      page.selection = new vscode.Selection(end(), 0, end(), 0);
      await selected(page);
      return cursorsLine().includes('more is coming');
    });
    const before = end();
    await until('many more lines', () => end() > before + 100);
    await until('their end, and their beginning no longer', () => {
      const [first, last] = [page.visibleRanges[0], page.visibleRanges.at(-1)];
      return (last?.end.line ?? 0) >= end() - 10 && (first?.start.line ?? 0) > before;
    });
    // It stays with the words it was put at, which the growing text pushes down.
    assert.match(cursorsLine(), /more is coming/);
    await run('writeit.ui.run.pause', { runId });
    await asked;
  });

  test('with the cursor elsewhere a growing page stands still', async () => {
    const { runId, page, asked } = await growing();
    await vscode.window.showTextDocument(page.document, page.viewColumn);
    page.selection = new vscode.Selection(2, 0, 2, 0);
    await until('a hundred lines', () => page.document.getText().includes('Line 120\n'));
    assert.equal(page.visibleRanges[0]?.start.line, 0);
    assert.equal(page.selection.active.line, 2);
    await run('writeit.ui.run.pause', { runId });
    await asked;
  });
});
