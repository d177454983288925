import { strict as assert } from 'node:assert';
import * as vscode from 'vscode';
import type { StreamEvent } from '../src/protocol';
import { activateExtension, execute, group, openArticle, startRun, waitFor } from './harness';

/** What the extension that provides the models exports: tests/vscode/model_provider. */
interface Provider {
  readonly cancelled: number;
  readonly prompts: readonly string[];
  readonly add: (family: string) => void;
}

async function activateProvider(): Promise<Provider> {
  const extension = vscode.extensions.getExtension<Provider>('writeit-tests.model-provider');
  assert.ok(extension, 'the provider of models is not installed');
  return extension.activate();
}

async function startRunWith(...families: readonly string[]): Promise<string> {
  await activateProvider();
  const angles = families.map((family) => `vscode/acme/${family}`);
  return (await startRun(await openArticle(), { models: { angles } })).pipelineRunId;
}

async function listedFamilies(): Promise<readonly string[]> {
  const { models } = await execute('writeit.model.list', { provider: 'vscode' });
  return models.map(({ id }) => id);
}

group('languageModels', (test) => {
  test('models of VS Code are listed, also one that comes later', async () => {
    const provider = await activateProvider();
    await waitFor('the list', async () => (await listedFamilies()).includes('vscode/acme/quill'));
    const told = new Promise<void>((resolve) => {
      const subscription = vscode.lm.onDidChangeChatModels(() => {
        subscription.dispose();
        resolve();
      });
    });
    provider.add('newcomer');
    await told;
    await waitFor('it', async () => (await listedFamilies()).includes('vscode/acme/newcomer'));
  });

  test('two models of VS Code answer at once, and both stream', async () => {
    const app = await activateExtension();
    const runId = await startRunWith('quill', 'otter');
    const deltas: string[] = [];
    const subscription = await app.server.onProgress('lm', (event: StreamEvent) => {
      if (event.kind === 'delta') {
        deltas.push(event.responseId);
      }
    });
    const { aiResponses } = await execute('writeit.step.run', { runId, streamToken: 'lm' });
    subscription.dispose();
    const text = 'The mill stands downstream.';
    assert.deepEqual(
      aiResponses.map(({ rawOutput }) => rawOutput),
      [text, text],
    );
    assert.ok(deltas.length > 2, `${deltas.length} deltas`);
    assert.ok(deltas.indexOf(deltas.at(-1) ?? '') < deltas.lastIndexOf(deltas[0] ?? ''));
    const { prompts } = await activateProvider();
    assert.ok(prompts.includes(aiResponses[0]?.promptUsed ?? ''));
  });

  test('a cancel ends the model and keeps what has arrived', async () => {
    const provider = await activateProvider();
    const { cancelled } = provider;
    const runId = await startRunWith('held');
    const app = await activateExtension();
    const cancel = new vscode.CancellationTokenSource();
    const running = app.server.execute('writeit.step.run', { runId }, { cancel: cancel.token });
    await waitFor('the text', async () => {
      const { steps } = await execute('writeit.run.show', { runId });
      return steps['angles']?.streaming[0]?.text.endsWith('downstream.');
    });
    cancel.cancel();
    await assert.rejects(running);
    await waitFor('the model to be cancelled', () => provider.cancelled > cancelled);
    const { steps, status } = await execute('writeit.run.show', { runId });
    assert.equal(status, 'PAUSED');
    assert.equal(steps['angles']?.aiResponses[0]?.partial, true);
  });

  test('errors of VS Code have their reasons, and text before one is kept', async () => {
    const runId = await startRunWith('private', 'spent', 'gone', 'prude', 'broken');
    await execute('writeit.step.run', { runId, confirmed: true });
    const { steps } = await execute('writeit.run.show', { runId });
    const failures = (steps['angles']?.failures ?? []).map(({ model, reason }) => [model, reason]);
    assert.deepEqual(Object.fromEntries(failures), {
      'vscode/acme/private': 'forbidden',
      'vscode/acme/spent': 'quota',
      'vscode/acme/gone': 'not_found',
      'vscode/acme/prude': 'refused',
    });
    const [answer] = steps['angles']?.aiResponses ?? [];
    assert.equal(answer?.rawOutput, 'The ');
    assert.equal(answer.partial, true);
  });
});
