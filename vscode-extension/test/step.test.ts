import { strict as assert } from 'node:assert';
import * as vscode from 'vscode';
import type { PipelineRun, StepState } from '../src/protocol';
import { viewUri } from '../src/uris';
import { article, ask, group, newRun, open, run, until } from './harness';

const SLOW = 'openai/paced-50-100';

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
});
