import { strict as assert } from 'node:assert';
import * as vscode from 'vscode';
import { execute, group, openArticle, run, runAccepting, startRun, waitFor } from './harness';

group('model', (test) => {
  test('the default model is used', async () => {
    const model = 'openai/say-By+20default.';
    await run('writeit.ui.model.default', { model });
    const { pipelineRunId: runId } = await startRun(await openArticle(), { models: {} });
    await waitFor('the setting to be read', async () => {
      const { models } = await execute('writeit.step.preview', { runId });
      return models[0]?.id === model;
    });
    await vscode.workspace
      .getConfiguration('writeit')
      .update('models.default', undefined, vscode.ConfigurationTarget.Global);
  });

  test('a setting that is not set does not override preferences', async () => {
    await execute('writeit.preferences.set', { stylePrimer: 'executive' });
    const { primer } = await startRun(await openArticle(), { pipeline: 'blog-post' });
    await execute('writeit.preferences.set', { stylePrimer: 'tech-journalist' });
    assert.notEqual(primer, null);
    const { providers } = await execute('writeit.keys.list', {});
    assert.ok(
      providers.some(({ provider, source }) => provider === 'openai' && source === 'environment'),
    );
  });

  test('after a refusal of the provider the step can be generated again', async () => {
    const { pipelineRunId: runId } = await startRun(await openArticle(), {
      models: { angles: ['openai/err-401'] },
    });
    assert.equal(await run('writeit.ui.step.run', { runId, step: 'angles' }), undefined);
    const { steps, status } = await execute('writeit.run.show', { runId });
    assert.equal(status, 'RUNNING');
    assert.equal(steps['angles']?.failures[0]?.reason, 'auth');
  });

  test('the step tells of an answer that failed beside one that did not', async () => {
    const { pipelineRunId: runId } = await startRun(await openArticle(), {
      models: { angles: ['openai/err-401', 'openai/say-Here.'] },
    });
    await run('writeit.ui.step.run', { runId, step: 'angles' });
    const { steps } = await execute('writeit.run.show', { runId });
    assert.equal(steps['angles']?.aiResponses.length, 1);
    assert.equal(steps['angles'].failures.length, 1);
  });

  test('default models are set with the number of answers of each', async () => {
    const listed = { model: 'embedded/smollm2-135m', samples: 3 };
    const named = { model: 'openai/say-Here.', samples: 2 };
    await execute('writeit.preferences.set', { models: [named, listed] });
    await runAccepting('writeit.ui.preferences.edit'); // the first item, and what is ticked
    const { models } = await execute('writeit.preferences.get', {});
    const byName = [...models].sort((one, other) => one.model.localeCompare(other.model));
    assert.deepEqual(byName, [listed, named]); // in whatever order they are listed
    await execute('writeit.preferences.set', { models: [] });
  });
});
