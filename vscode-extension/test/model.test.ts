import { strict as assert } from 'node:assert';
import * as vscode from 'vscode';
import { article, ask, group, newRun, run, until } from './harness';

group('model', (test) => {
  test('a model that is chosen as the default is the one that is asked', async () => {
    const model = 'openai/say-By%20default.';
    await run('writeit.ui.model.default', { model });
    const { pipelineRunId: runId } = await newRun(await article(), { models: {} });
    await until('the setting to be known', async () => {
      const { models } = await ask('writeit.step.preview', { runId });
      return models[0]?.id === model;
    });
    await vscode.workspace
      .getConfiguration('writeit')
      .update('models.default', undefined, vscode.ConfigurationTarget.Global);
  });

  test('a setting that nobody set is not sent: preferences hold', async () => {
    await ask('writeit.preferences.set', { stylePrimer: 'executive' });
    const { primer } = await newRun(await article(), { pipeline: 'blog-post' });
    await ask('writeit.preferences.set', { stylePrimer: 'tech-journalist' });
    assert.notEqual(primer, null);
    const { providers } = await ask('writeit.keys.list', {});
    assert.ok(
      providers.some(({ provider, source }) => provider === 'openai' && source === 'environment'),
    );
  });

  test('a provider that refuses is said, and the run can be asked again', async () => {
    const { pipelineRunId: runId } = await newRun(await article(), {
      models: { angles: ['openai/err-401'] },
    });
    assert.equal(await run('writeit.ui.step.run', { runId, step: 'angles' }), undefined);
    const { steps, status } = await ask('writeit.run.show', { runId });
    assert.equal(status, 'RUNNING');
    assert.equal(steps['angles']?.failures[0]?.reason, 'auth');
  });

  test('an answer that failed beside one that came is told by the step', async () => {
    const { pipelineRunId: runId } = await newRun(await article(), {
      models: { angles: ['openai/err-401', 'openai/say-Here.'] },
    });
    await run('writeit.ui.step.run', { runId, step: 'angles' });
    const { steps } = await ask('writeit.run.show', { runId });
    assert.equal(steps['angles']?.aiResponses.length, 1);
    assert.equal(steps['angles'].failures.length, 1);
  });
});
