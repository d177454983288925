import { strict as assert } from 'node:assert';
import * as vscode from 'vscode';
import { viewUri } from '../src/pages/uris';
import {
  activateExtension,
  execute,
  firstStepAnswer,
  group,
  openDiff,
  openedDocument,
  run,
  runWithTwoAnswers,
  waitFor,
} from './harness';

/** The two texts in the open diff editor. */
async function comparedTexts(): Promise<[string, string]> {
  const diff = await waitFor('the comparison', openDiff);
  const [left, right] = await Promise.all(
    [diff.original, diff.modified].map((uri) => vscode.workspace.openTextDocument(uri)),
  );
  return [left?.getText().trim() ?? '', right?.getText().trim() ?? ''];
}

group('compare', (test) => {
  test('a comparison of two answers shows only their text', async () => {
    const runId = await runWithTwoAnswers();
    await run('writeit.ui.response.compare', { runId, step: 'angles' });
    assert.deepEqual((await comparedTexts()).toSorted(), ['Rivers run.', 'Water moves.']);
  });

  test('a lens that compares opens the diff editor', async () => {
    const runId = await runWithTwoAnswers();
    const { steps } = await execute('writeit.run.show', { runId });
    const [left, right] = (steps['angles']?.aiResponses ?? []).map(({ responseId }) => ({
      runId,
      step: 'angles',
      response: responseId,
    }));
    await run('writeit.view.open', { view: 'compare', left, right, wait: false });
    assert.equal(new Set(await comparedTexts()).size, 2);
  });

  test('a branch is compared with the original run', async () => {
    const runId = await runWithTwoAnswers();
    const { steps } = await execute('writeit.run.show', { runId });
    const answers = steps['angles']?.aiResponses.map((answer) => answer.processedContent);
    assert.equal(new Set(answers).size, 2); // in the order in which they ended
    await execute('writeit.step.select', { runId, response: 0 });
    const child = await execute('writeit.run.branch', { runId, step: 'angles' });
    await execute('writeit.step.select', { runId: child.pipelineRunId, response: 1 });
    await run('writeit.ui.run.diffParent', { runId: child.pipelineRunId });
    // The multi-diff editor has no input type in the API: its documents tell what it shows.
    const texts = [runId, child.pipelineRunId].map((id) => viewUri('content', id, 'angles'));
    await waitFor('both texts', () => texts.every((uri) => openedDocument(uri) !== undefined));
    assert.deepEqual(
      texts.map((uri) => openedDocument(uri)?.getText().trim()),
      answers,
    );
  });

  test('the document is compared with what a text would make of it', async () => {
    const runId = await runWithTwoAnswers();
    await execute('writeit.step.select', { runId, response: 0 });
    const side = { runId, step: 'angles' };
    await run('writeit.view.open', {
      view: 'compare',
      left: { ...side, response: 'document' },
      right: { ...side, response: 'proposed' },
    });
    const [proposed, mine] = await comparedTexts();
    assert.match(mine, /^# Notes on rivers/);
    assert.notEqual(proposed, mine);
    const app = await activateExtension();
    assert.deepEqual(app.conflicts.all, [], 'a comparison created conflicts');
  });

  test('the document is compared with an answer on a page of the server', async () => {
    const runId = await runWithTwoAnswers();
    const side = { runId, step: 'angles' };
    const { steps } = await execute('writeit.run.show', { runId });
    const response = steps['angles']?.aiResponses[0]?.responseId;
    assert.ok(response);
    await run('writeit.view.open', {
      view: 'compare',
      left: { ...side, response: 'document' },
      right: { ...side, response },
    });
    const page = viewUri('compare', runId, 'angles', 'document', runId, 'angles', response);
    await waitFor('the page', () => openedDocument(page));
  });

  test('an answer is rated', async () => {
    const runId = await runWithTwoAnswers();
    const rating = run('writeit.ui.response.rate', await firstStepAnswer(runId, 0));
    await waitFor('the rating', async () => {
      await run('workbench.action.acceptSelectedQuickOpenItem');
      const { steps } = await execute('writeit.run.show', { runId });
      return steps['angles']?.aiResponses[0]?.qualityScore === 1;
    });
    await rating;
  });
});
