import { strict as assert } from 'node:assert';
import * as vscode from 'vscode';
import type { PipelineRun, StepState } from '../src/protocol';
import { viewUri } from '../src/pages/uris';
import {
  acceptInput,
  activateExtension,
  execute,
  firstStepAnswer,
  group,
  run,
  runWithTwoAnswers,
  waitFor,
} from './harness';

group('merge', (test) => {
  test('selections on the page of a step are added to the merge', async () => {
    const runId = await runWithTwoAnswers();
    const page = await vscode.workspace.openTextDocument(viewUri('step', runId, 'angles'));
    const editor = await vscode.window.showTextDocument(page);
    for (const [line, words] of [
      ['Water moves.', 'Water'],
      ['Rivers run.', 'Rivers run.'],
    ] as const) {
      const start = page.positionAt(page.getText().indexOf(`\n${line}\n`) + 1);
      editor.selection = new vscode.Selection(start, start.translate(0, words.length));
      await run('writeit.ui.merge.take');
    }
    const { steps } = await execute('writeit.run.show', { runId });
    assert.deepEqual(
      steps['angles']?.passages.map(({ text }) => text),
      ['Water', 'Rivers run.'],
    );
  });

  test('passages are ordered, edited and used as the merge', async () => {
    const runId = await runWithTwoAnswers();
    for (const response of [1, 0]) {
      await execute('writeit.step.take', { runId, response, text: `Passage ${response}.` });
    }
    const ordering = run('writeit.ui.merge.arrange', { runId, step: 'angles' });
    await waitFor('the text', async () => {
      await acceptInput();
      return vscode.window.activeTextEditor?.document.isUntitled;
    });
    await ordering;
    const editor = vscode.window.activeTextEditor;
    assert.ok(editor);
    assert.equal(editor.document.getText(), 'Passage 1.\n\nPassage 0.');
    await editor.edit((edit) => {
      edit.insert(new vscode.Position(0, 0), 'Mine. ');
    });
    const merged = (await run('writeit.ui.draft.use')) as PipelineRun;
    assert.equal(merged.steps['angles']?.mergedContent, 'Mine. Passage 1.\n\nPassage 0.');
    await waitFor(
      'the text to close',
      () => vscode.window.activeTextEditor?.document !== editor.document,
    );
  });

  test('an edited answer is chosen, and the answer itself is unchanged', async () => {
    const runId = await runWithTwoAnswers();
    const { steps: before } = await execute('writeit.run.show', { runId });
    await run('writeit.ui.draft.edit', await firstStepAnswer(runId, 1));
    const editor = vscode.window.activeTextEditor;
    assert.ok(editor);
    await editor.edit((edit) => {
      edit.insert(new vscode.Position(0, 0), 'Indeed: ');
    });
    const { steps } = (await run('writeit.ui.draft.use')) as PipelineRun;
    const answer = before['angles']?.aiResponses[1];
    assert.ok(answer);
    assert.equal(steps['angles']?.content, `Indeed: ${answer.processedContent}`);
    assert.deepEqual(steps['angles'].aiResponses[1], answer);
  });

  test('a discarded text changes nothing', async () => {
    const app = await activateExtension();
    const runId = await runWithTwoAnswers();
    const before = await execute('writeit.run.show', { runId });
    const editor = (await run(
      'writeit.ui.draft.edit',
      await firstStepAnswer(runId, 0),
    )) as vscode.TextEditor;
    await run('writeit.ui.draft.leave');
    assert.deepEqual(await execute('writeit.run.show', { runId }), before);
    await waitFor(
      'the draft to be forgotten',
      () => app.drafts.get(editor.document.uri) === undefined,
    );
  });

  test('a merge by a model is one more answer', async () => {
    const runId = await runWithTwoAnswers();
    const step = (await run('writeit.step.merge', {
      runId,
      responses: [0, 1],
      instruction: 'Merge them.',
      model: 'openai/say-Joined.',
    })) as StepState;
    assert.equal(step.aiResponses.at(-1)?.processedContent, 'Joined.');
  });
});
