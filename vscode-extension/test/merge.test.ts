import { strict as assert } from 'node:assert';
import * as vscode from 'vscode';
import type { PipelineRun, StepState } from '../src/protocol';
import { viewUri } from '../src/pages/uris';
import { accept, article, ask, extension, group, newRun, run, until } from './harness';

const TWO = ['openai/say-Rivers%20run.', 'openai/say-Water%20moves.'];

async function answered(): Promise<string> {
  const { pipelineRunId: runId } = await newRun(await article(), { models: { angles: TWO } });
  await ask('writeit.step.run', { runId });
  return runId;
}

group('merge', (test) => {
  test('selections in a step’s page are taken into the merge, one after the other', async () => {
    const runId = await answered();
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
    const { steps } = await ask('writeit.run.show', { runId });
    assert.deepEqual(
      steps['angles']?.passages.map(({ text }) => text),
      ['Water', 'Rivers run.'],
    );
  });

  test('passages are arranged, edited as a text, and used', async () => {
    const runId = await answered();
    for (const response of [1, 0]) {
      await ask('writeit.step.take', { runId, response, text: `Passage ${response}.` });
    }
    const arranging = run('writeit.ui.merge.arrange', { runId, step: 'angles' });
    await until('the text', async () => {
      await accept();
      return vscode.window.activeTextEditor?.document.isUntitled;
    });
    await arranging;
    const editor = vscode.window.activeTextEditor;
    assert.ok(editor);
    assert.equal(editor.document.getText(), 'Passage 1.\n\nPassage 0.');
    await editor.edit((edit) => {
      edit.insert(new vscode.Position(0, 0), 'Mine. ');
    });
    const after = (await run('writeit.ui.draft.use')) as PipelineRun;
    assert.equal(after.steps['angles']?.mergedContent, 'Mine. Passage 1.\n\nPassage 0.');
    await until(
      'the text to be closed',
      () => vscode.window.activeTextEditor?.document !== editor.document,
    );
  });

  test('an answer is reworded and chosen; the answer itself stays as it was', async () => {
    const runId = await answered();
    const { steps: before } = await ask('writeit.run.show', { runId });
    await run('writeit.ui.draft.edit', { runId, step: 'angles', response: 1 });
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

  test('a text that is left changes nothing', async () => {
    const app = await extension();
    const runId = await answered();
    const before = await ask('writeit.run.show', { runId });
    const editor = (await run('writeit.ui.draft.edit', {
      runId,
      response: 0,
    })) as vscode.TextEditor;
    await run('writeit.ui.draft.leave');
    assert.deepEqual(await ask('writeit.run.show', { runId }), before);
    await until('it to be forgotten', () => app.drafts.get(editor.document.uri) === undefined);
  });

  test('a model joins the parts, and its text is one more answer', async () => {
    const runId = await answered();
    const step = (await run('writeit.step.merge', {
      runId,
      responses: [0, 1],
      instruction: 'join them',
      model: 'openai/say-Joined.',
    })) as StepState;
    assert.equal(step.aiResponses.at(-1)?.processedContent, 'Joined.');
  });
});
