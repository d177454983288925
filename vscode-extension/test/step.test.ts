import { strict as assert } from 'node:assert';
import * as vscode from 'vscode';
import type { PipelineRun, StepState } from '../src/protocol';
import { viewUri } from '../src/pages/uris';
import {
  activateExtension,
  controlledAnswer,
  execute,
  firstStepAnswer,
  group,
  lensesOf,
  openArticle,
  openedDocument,
  run,
  runAccepting,
  startRun,
  waitFor,
  type ControlledAnswer,
} from './harness';

/** Lines of an answer, each a paragraph. */
function paragraphs(from: number, to: number): string {
  return Array.from({ length: to - from }, (_, index) => `Line ${from + index}\n`).join('');
}

interface GrowingAnswer extends ControlledAnswer {
  readonly runId: string;
  readonly page: vscode.TextEditor;
  readonly generating: Thenable<unknown>;
  /** Write more of the answer, and wait until the page has its last line. */
  readonly grow: (text: string, last: string) => Promise<void>;
}

/** The page of a step whose answer the test controls, with three lines in it. */
async function startGrowingAnswer(): Promise<GrowingAnswer> {
  const answer = controlledAnswer();
  const models = { angles: [answer.model] };
  const { pipelineRunId: runId } = await startRun(await openArticle(), { models });
  const generating = run('writeit.ui.step.run', { runId, step: 'angles' });
  const uri = viewUri('step', runId, 'angles').toString();
  const page = await waitFor('the page', () =>
    vscode.window.visibleTextEditors.find(({ document }) => document.uri.toString() === uri),
  );
  const grow = async (text: string, last: string): Promise<void> => {
    await answer.write(text);
    await waitFor(last, () => page.document.getText().includes(`${last}\n`));
  };
  await grow(paragraphs(0, 3), 'Line 2');
  return { ...answer, runId, page, generating, grow };
}

/** Whether a page shows a finished answer. */
async function hasFinishedAnswer(document: vscode.TextDocument): Promise<boolean> {
  const { pageCache } = await activateExtension();
  return pageCache.sectionsOf(document)?.some(({ kind }) => kind === 'answer') === true;
}

group('step', (test) => {
  test('an answer appears on a page beside the document, which is unchanged', async () => {
    const { page, generating, grow, end } = await startGrowingAnswer();
    const { document } = page;
    const notes = vscode.window.activeTextEditor?.document;
    assert.ok(notes?.uri.scheme === 'file', 'the document lost the focus');
    const text = notes.getText();
    assert.ok(!document.getText().includes('Line 5'));
    await grow(paragraphs(3, 8), 'Line 7');
    await grow('The last words.\n', 'The last words.');
    await end();
    const step = (await generating) as StepState;
    assert.equal(step.aiResponses.length, 1);
    await waitFor('the answer', () => hasFinishedAnswer(document));
    assert.match(document.getText(), /Line 0\n[^]*The last words\./);
    assert.equal(notes.getText(), text);
    assert.equal(notes.isDirty, false);
  });

  test('a lens generates a step as the palette does, and opens its page', async () => {
    const editor = await openArticle();
    const { pipelineRunId: runId } = await startRun(editor);
    await vscode.window.showTextDocument(editor.document);
    const lens = await waitFor('the lens', async () => {
      const [first] = await lensesOf(editor.document.uri, 'writeit.step.run');
      return first;
    });
    assert.equal((lens.argument as { wait: boolean }).wait, false);
    const step = (await run(lens.command, lens.argument)) as StepState;
    assert.equal(step.aiResponses[0]?.processedContent, 'A first answer.');
    assert.ok(openedDocument(viewUri('step', runId, 'angles')));
  });

  test('choosing completes the step', async () => {
    const { pipelineRunId: runId } = await startRun(await openArticle());
    await execute('writeit.step.run', { runId });
    const answer = await firstStepAnswer(runId, 0);
    const chosen = (await run('writeit.ui.step.choose', answer)) as PipelineRun;
    assert.equal(chosen.currentStep, 'outline');
    assert.equal(chosen.steps['angles']?.userSelection, 0);
    assert.equal(chosen.steps['outline']?.status, 'PENDING');
  });

  test('the first choice that is offered generates the next step, too', async () => {
    const { pipelineRunId: runId } = await startRun(await openArticle());
    await execute('writeit.step.run', { runId });
    const { steps } = await runAccepting<PipelineRun>('writeit.ui.step.choose', {
      runId,
      step: 'angles',
    });
    assert.equal(steps['angles']?.status, 'COMPLETED');
    assert.equal(steps['outline']?.aiResponses.length, 1);
    assert.ok(openedDocument(viewUri('step', runId, 'outline')));
  });

  test('selected lines of an answer are chosen', async () => {
    const models = { angles: ['openai/say-One.+0A+0ATwo.'] };
    const { pipelineRunId: runId } = await startRun(await openArticle(), { models });
    await execute('writeit.step.run', { runId });
    const page = await vscode.workspace.openTextDocument(viewUri('step', runId, 'angles'));
    const editor = await vscode.window.showTextDocument(page);
    const start = page.positionAt(page.getText().indexOf('\nTwo.\n') + 1);
    editor.selection = new vscode.Selection(start, start.translate(0, 'Two.'.length));
    const { steps } = await runAccepting<PipelineRun>('writeit.ui.step.choosePart');
    assert.equal(steps['angles']?.part?.text, 'Two.');
  });

  test('one answer is stopped while another goes on', async () => {
    const [first, second] = [controlledAnswer(), controlledAnswer()];
    const models = { angles: [first.model, second.model] };
    const { pipelineRunId: runId } = await startRun(await openArticle(), { models });
    const generating = run('writeit.ui.step.run', { runId, step: 'angles' });
    await first.write('Enough.\n\n');
    await second.write('More');
    const { runStates } = await activateExtension();
    await waitFor('both answers', async () => {
      const { streaming = [] } = (await runStates.run(runId)).steps['angles'] ?? {};
      return streaming.length === 2 && streaming.every(({ text }) => text !== '');
    });
    const stopped = await runAccepting<StepState>('writeit.ui.response.stop', { runId });
    assert.deepEqual(
      stopped.aiResponses.map(({ number, partial }) => [number, partial]),
      [[1, true]],
    );
    await second.write(' of it.');
    await second.end();
    await generating;
    const { steps } = await execute('writeit.run.show', { runId });
    assert.equal(steps['angles']?.aiResponses[1]?.processedContent, 'More of it.');
  });

  test('stopping keeps what was received', async () => {
    const { runId, generating } = await startGrowingAnswer();
    await run('writeit.ui.run.pause', { runId });
    await generating;
    const { steps } = await execute('writeit.run.show', { runId });
    const [answer] = steps['angles']?.aiResponses ?? [];
    assert.equal(answer?.partial, true);
    assert.match(answer.rawOutput, /Line 2/);
  });

  test('a page has no lines for programs, neither while answers stream nor afterwards', async () => {
    const { runId, page, generating } = await startGrowingAnswer();
    const { document } = page;
    assert.doesNotMatch(document.getText(), /writeit:/);
    await run('writeit.ui.run.pause', { runId });
    await generating;
    await waitFor('the answer', () => hasFinishedAnswer(document));
    assert.doesNotMatch(document.getText(), /writeit:/);
  });

  test('an answer that ends while its page opens is on the page', async () => {
    for (let round = 0; round < 5; round += 1) {
      const silent = controlledAnswer();
      const { pipelineRunId: runId } = await startRun(await openArticle(), {
        models: { angles: [silent.model, 'openai/say-All+20here.'] },
      });
      const generating = run('writeit.ui.step.run', { runId, step: 'angles' });
      const page = await waitFor('the page', () =>
        openedDocument(viewUri('step', runId, 'angles')),
      );
      await waitFor('the answer', () => page.getText().includes('All here.'));
      await silent.write('Said.');
      await silent.end();
      await generating;
    }
  });

  test('lenses are at the text of their answer while another answer streams', async () => {
    const answer = controlledAnswer();
    const { pipelineRunId: runId } = await startRun(await openArticle(), {
      models: { angles: [answer.model, 'openai/say-All+20here.'] },
    });
    const generating = run('writeit.ui.step.run', { runId, step: 'angles' });
    const page = await waitFor('the page', () => openedDocument(viewUri('step', runId, 'angles')));
    await waitFor('the answer', () => page.getText().includes('All here.'));
    for (const [from, to] of [
      [0, 3],
      [3, 50],
      [50, 51],
    ] as const) {
      await answer.write(paragraphs(from, to));
      await waitFor('the answer to grow', () => page.getText().includes(`Line ${to - 1}\n`));
      const { line, argument } = await waitFor('one lens', async () => {
        const [lens, ...others] = await lensesOf(page.uri, 'writeit.ui.draft.edit');
        return others.length === 0 ? lens : undefined;
      });
      assert.equal(page.lineAt(line).text, 'All here.');
      assert.deepEqual(argument, await firstStepAnswer(runId, 0));
    }
    await answer.end();
    await generating;
    const count = async (id: string): Promise<number> => (await lensesOf(page.uri, id)).length;
    await waitFor('both answers', async () => (await count('writeit.ui.response.rate')) === 2);
    assert.equal(await count('writeit.ui.step.feedback'), 1);
  });

  test('a page scrolls with an answer while the cursor is at its end', async () => {
    const { page, generating, grow, end } = await startGrowingAnswer();
    const { document } = await vscode.window.showTextDocument(page.document, page.viewColumn);
    const app = await activateExtension();
    const lineBelow = (): number => {
      const section = app.pageCache.sectionsOf(document)?.find(({ kind }) => kind === 'coming');
      return section === undefined ? Infinity : section.lastLine + 2;
    };
    const before = lineBelow();
    page.selection = new vscode.Selection(before, 0, before, 0);
    await waitFor('the cursor', () => page.selection.active.line === before);
    for (const [from, to] of [
      [3, 40],
      [40, 80],
      [80, 160],
    ] as const) {
      await grow(paragraphs(from, to), `Line ${to - 1}`);
      await waitFor('the end to be visible', () => {
        const last = page.visibleRanges.at(-1);
        return (last?.end.line ?? 0) >= lineBelow();
      });
    }
    await waitFor('the start to scroll out of view', () => {
      return (page.visibleRanges[0]?.start.line ?? 0) > before;
    });
    // The growing text moves the line of the cursor down.
    await waitFor('the cursor to move', () => page.selection.active.line === lineBelow());
    await end();
    await generating;
  });

  test('a page does not scroll while the cursor is elsewhere', async () => {
    const { page, generating, grow, end } = await startGrowingAnswer();
    await vscode.window.showTextDocument(page.document, page.viewColumn);
    page.selection = new vscode.Selection(2, 0, 2, 0);
    await waitFor('the cursor', () => page.selection.active.line === 2);
    await grow(paragraphs(3, 80), 'Line 79');
    await grow(paragraphs(80, 160), 'Line 159');
    assert.equal(page.visibleRanges[0]?.start.line, 0);
    assert.equal(page.selection.active.line, 2);
    await end();
    await generating;
  });
});
