import { strict as assert } from 'node:assert';
import * as vscode from 'vscode';
import type { PipelineRun, StepState } from '../src/protocol';
import { viewUri } from '../src/pages/uris';
import { article, ask, dictated, group, newRun, open, run, until, type Dictated } from './harness';

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

/** Lines of an answer, each a paragraph of the page's. */
function lines(from: number, to: number): string {
  return Array.from({ length: to - from }, (_, index) => `Line ${from + index}\n`).join('');
}

interface Growing extends Dictated {
  readonly runId: string;
  readonly page: vscode.TextEditor;
  readonly asked: Thenable<unknown>;
  /** Say something, once more, until it is on the page. */
  readonly grow: (text: string, last: string) => Promise<void>;
}

/** The page of a step whose answer grows as the test says, with three lines in it. */
async function growing(): Promise<Growing> {
  const answer = dictated();
  const models = { angles: [answer.model] };
  const { pipelineRunId: runId } = await newRun(await article(), { models });
  const asked = run('writeit.ui.step.run', { runId, step: 'angles' });
  const uri = viewUri('step', runId, 'angles').toString();
  const page = await until('the page', () =>
    vscode.window.visibleTextEditors.find(({ document }) => document.uri.toString() === uri),
  );
  const grow = async (text: string, last: string): Promise<void> => {
    await answer.say(text);
    await until(last, () => page.document.getText().includes(`${last}\n`));
  };
  await grow(lines(0, 3), 'Line 2');
  return { ...answer, runId, page, asked, grow };
}

group('step', (test) => {
  test('an answer grows in a page beside the document, which stays as it is', async () => {
    const { page, asked, grow, end } = await growing();
    const { document } = page;
    const notes = vscode.window.activeTextEditor?.document;
    assert.ok(notes?.uri.scheme === 'file', 'the keys are with her document');
    const text = notes.getText();
    assert.ok(!document.getText().includes('Line 5'));
    await grow(lines(3, 8), 'Line 7');
    await grow('The last words.\n', 'The last words.');
    await end();
    const step = (await asked) as StepState;
    assert.equal(step.aiResponses.length, 1);
    await until('the answer', () => document.getText().includes('## Answer 1'));
    assert.match(document.getText(), /Line 0\n[^]*The last words\./);
    assert.equal(notes.getText(), text);
    assert.equal(notes.isDirty, false);
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
    const { runId, asked } = await growing();
    await run('writeit.ui.run.pause', { runId });
    await asked;
    const { steps } = await ask('writeit.run.show', { runId });
    const [answer] = steps['angles']?.aiResponses ?? [];
    assert.equal(answer?.partial, true);
    assert.match(answer.rawOutput, /Line 2/);
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

  test('an answer that ends in the moment in which its page opens is on the page', async () => {
    for (let round = 0; round < 5; round += 1) {
      const silent = dictated();
      const { pipelineRunId: runId } = await newRun(await article(), {
        models: { angles: [silent.model, 'openai/say-All%20here.'] },
      });
      const asked = run('writeit.ui.step.run', { runId, step: 'angles' });
      const page = await until('the page', () => open(viewUri('step', runId, 'angles')));
      await until('the answer', () => page.getText().includes('All here.'));
      await silent.say('Said.');
      await silent.end();
      await asked;
    }
  });

  test('lenses stand at the text of the answer they are about, also while another grows', async () => {
    const answer = dictated();
    const { pipelineRunId: runId } = await newRun(await article(), {
      models: { angles: [answer.model, 'openai/say-All%20here.'] },
    });
    const asked = run('writeit.ui.step.run', { runId, step: 'angles' });
    const page = await until('the page', () => open(viewUri('step', runId, 'angles')));
    await until('the answer', () => page.getText().includes('All here.'));
    for (const [from, to] of [
      [0, 3],
      [3, 50],
      [50, 51],
    ] as const) {
      await answer.say(lines(from, to));
      await until('it to grow', () => page.getText().includes(`Line ${to - 1}\n`));
      const [line, target] = await until('one lens', async () => {
        const [lens, ...others] = await lensesOf(page, 'Reword, then choose…');
        return others.length === 0 ? lens : undefined;
      });
      assert.equal(page.lineAt(line).text, 'All here.');
      assert.deepEqual(target, { runId, step: 'angles', response: 0 });
    }
    await answer.end();
    await asked;
    await until('both', async () => (await lensesOf(page, 'Rate…')).length === 2);
    assert.equal((await lensesOf(page, 'Give feedback…')).length, 1);
  });

  test('with the cursor at its end a growing answer stays in sight, and the cursor where it is', async () => {
    const { page, asked, grow, end } = await growing();
    const { document } = await vscode.window.showTextDocument(page.document, page.viewColumn);
    const ending = (): number =>
      document
        .getText()
        .split('\n')
        .findIndex((text) => text.includes('more is coming'));
    const before = ending();
    page.selection = new vscode.Selection(before, 0, before, 0);
    await until('the cursor there', () => page.selection.active.line === before);
    for (const [from, to] of [
      [3, 40],
      [40, 80],
      [80, 160],
    ] as const) {
      await grow(lines(from, to), `Line ${to - 1}`);
      await until('its end in sight', () => {
        const last = page.visibleRanges.at(-1);
        return (last?.end.line ?? 0) >= ending();
      });
    }
    await until('its beginning to be out of sight', () => {
      return (page.visibleRanges[0]?.start.line ?? 0) > before;
    });
    // It stays with the words it was put at, which the growing text pushes down.
    await until('the cursor to be said', () => page.selection.active.line === ending());
    await end();
    await asked;
  });

  test('with the cursor elsewhere a growing page stands still', async () => {
    const { page, asked, grow, end } = await growing();
    await vscode.window.showTextDocument(page.document, page.viewColumn);
    page.selection = new vscode.Selection(2, 0, 2, 0);
    await until('the cursor there', () => page.selection.active.line === 2);
    await grow(lines(3, 80), 'Line 79');
    await grow(lines(80, 160), 'Line 159');
    assert.equal(page.visibleRanges[0]?.start.line, 0);
    assert.equal(page.selection.active.line, 2);
    await end();
    await asked;
  });
});
