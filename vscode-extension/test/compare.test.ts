import { strict as assert } from 'node:assert';
import * as vscode from 'vscode';
import { viewUri } from '../src/pages/uris';
import {
  article,
  ask,
  extension,
  group,
  newRun,
  open,
  openDiff,
  run,
  tabs,
  until,
} from './harness';

const TWO = ['openai/say-Rivers%20run.', 'openai/say-Water%20moves.'];

async function answered(): Promise<string> {
  const { pipelineRunId: runId } = await newRun(await article(), { models: { angles: TWO } });
  await ask('writeit.step.run', { runId });
  return runId;
}

/** What the diff editor that is open compares. */
async function compared(): Promise<[string, string]> {
  const diff = await until('the comparison', openDiff);
  const [left, right] = await Promise.all(
    [diff.original, diff.modified].map((uri) => vscode.workspace.openTextDocument(uri)),
  );
  return [left?.getText().trim() ?? '', right?.getText().trim() ?? ''];
}

group('compare', (test) => {
  test('two answers stand side by side as nothing but their text', async () => {
    const runId = await answered();
    await run('writeit.ui.response.compare', { runId, step: 'angles' });
    assert.deepEqual((await compared()).toSorted(), ['Rivers run.', 'Water moves.']);
  });

  test('a lens that compares opens the diff editor, too', async () => {
    const runId = await answered();
    const { steps } = await ask('writeit.run.show', { runId });
    const [left, right] = (steps['angles']?.aiResponses ?? []).map(({ responseId }) => ({
      runId,
      step: 'angles',
      response: responseId,
    }));
    await run('writeit.view.open', { view: 'compare', left, right, wait: false });
    assert.equal(new Set(await compared()).size, 2);
  });

  test('a branch is compared with the run it came from', async () => {
    const runId = await answered();
    await ask('writeit.step.select', { runId, response: 0 });
    const child = await ask('writeit.run.branch', { runId, step: 'angles' });
    await ask('writeit.step.select', { runId: child.pipelineRunId, response: 1 });
    await run('writeit.ui.run.diffParent', { runId: child.pipelineRunId, step: 'angles' });
    assert.deepEqual((await compared()).toSorted(), ['Rivers run.', 'Water moves.']);
    const titles = tabs().map(({ label }) => label);
    assert.ok(titles.includes('angles of the first run ↔ angles of the branch at angles'));
  });

  test('the document and what a text makes of it stand side by side, too', async () => {
    const runId = await answered();
    await ask('writeit.step.select', { runId, response: 0 });
    const side = { runId, step: 'angles' };
    await run('writeit.view.open', {
      view: 'compare',
      left: { ...side, response: 'document' },
      right: { ...side, response: 'proposed' },
    });
    const [proposed, mine] = await compared();
    assert.match(mine, /^# Notes on rivers/);
    assert.notEqual(proposed, mine);
    const app = await extension();
    assert.deepEqual(app.conflicts.all, [], 'she asked for it: nothing is to be settled');
  });

  test('a comparison of the document with an answer is a page of the server', async () => {
    const runId = await answered();
    const side = { runId, step: 'angles' };
    const { steps } = await ask('writeit.run.show', { runId });
    const response = steps['angles']?.aiResponses[0]?.responseId;
    assert.ok(response);
    await run('writeit.view.open', {
      view: 'compare',
      left: { ...side, response: 'document' },
      right: { ...side, response },
    });
    const page = viewUri('compare', runId, 'angles', 'document', runId, 'angles', response);
    await until('the page', () => open(page));
  });

  test('an answer is rated', async () => {
    const runId = await answered();
    const rating = run('writeit.ui.response.rate', { runId, step: 'angles', response: 0 });
    await until('the rating', async () => {
      await run('workbench.action.acceptSelectedQuickOpenItem');
      const { steps } = await ask('writeit.run.show', { runId });
      return steps['angles']?.aiResponses[0]?.qualityScore === 1;
    });
    await rating;
  });
});
