import { strict as assert } from 'node:assert';
import { readdir, readFile } from 'node:fs/promises';
import * as vscode from 'vscode';
import { isCancelled } from '../src/errors';
import { userOptions } from '../src/settings';
import { errorMessage } from '../src/showError';
import { isUsedIn } from '../src/server/startConditions';
import {
  SERVER,
  activateExtension,
  controlledAnswer,
  group,
  openArticle,
  run,
  startRun,
  waitFor,
} from './harness';

/** The id of the server's process, a child of this extension host. */
async function serverProcess(): Promise<number> {
  for (const name of await readdir('/proc')) {
    const text = async (file: string): Promise<string> =>
      /^\d+$/.test(name) ? readFile(`/proc/${name}/${file}`, 'utf8').catch(() => '') : '';
    const isChild = (await text('status')).includes(`\nPPid:\t${process.pid}\n`);
    if (isChild && (await text('cmdline')).includes(`${SERVER}\0serve`)) {
      return Number(name);
    }
  }
  throw new Error('the server has no process');
}

group('server', (test) => {
  test('the server of the setting is used', async () => {
    const app = await activateExtension();
    assert.match(app.server.description, /setting writeit\.server\.path/);
  });

  test('restarts at the same time are one restart', async () => {
    const app = await activateExtension();
    const states: string[] = [];
    const listening = app.server.onDidChangeState((state) => states.push(state));
    await Promise.all([app.server.restart(), app.server.restart(), app.server.restart()]);
    listening.dispose();
    assert.deepEqual(states, ['starting', 'running']);
  });

  test('a command waits while the server starts', async () => {
    const app = await activateExtension();
    void app.server.restart();
    const { pipelines } = await app.server.execute('writeit.pipeline.list', {});
    assert.ok(pipelines.some(({ name }) => name === 'tech-article'));
  });

  test('a server that crashes is restarted', async () => {
    const app = await activateExtension();
    const states: string[] = [];
    const listening = app.server.onDidChangeState((state) => states.push(state));
    process.kill(await serverProcess(), 'SIGKILL');
    await waitFor('the new server', () => states.at(-1) === 'running');
    listening.dispose();
    assert.deepEqual(states, ['starting', 'running']); // and no failure, which is reported
    const { pipelines } = await app.server.execute('writeit.pipeline.list', {});
    assert.ok(pipelines.length > 0);
  });

  test('no words of the client reach the user, however a request ends', async () => {
    const app = await activateExtension();
    const cancelling = new vscode.CancellationTokenSource();
    const restarted =
      'The WriteIt server stopped and is being restarted. What was received is kept.';
    for (const [end, expected] of [
      [async () => process.kill(await serverProcess(), 'SIGKILL'), restarted],
      [() => app.server.restart(), restarted],
      [() => app.server.stop(), 'The WriteIt server was stopped. What was received is kept.'],
      [
        () => {
          cancelling.cancel();
        },
        undefined,
      ],
    ] as const) {
      await app.server.restart();
      const answer = controlledAnswer();
      const models = { angles: [answer.model] };
      const { pipelineRunId: runId } = await startRun(await openArticle(), { models });
      const cancel = cancelling.token;
      const generating = app.server.execute('writeit.step.run', { runId, wait: true }, { cancel });
      const refused = generating.then(
        () => undefined, // one that stops orderly may answer with what it has
        (error: unknown) => (isCancelled(error) ? undefined : errorMessage(error)),
      );
      await answer.write('A word.');
      await waitFor('the word', async () => {
        const { steps } = await app.server.execute('writeit.run.show', { runId });
        return steps['angles']?.streaming.length === 1;
      });
      await end();
      const said = await refused;
      assert.ok(said === undefined || said === expected, said);
      await answer.end();
    }
  });

  test('a document with a writeit block starts the server, prose about it does not', async () => {
    const isUsed = async (text: string): Promise<boolean> =>
      isUsedIn((await openArticle(text)).document);
    assert.ok(await isUsed('---\ntitle: Mills\nwriteit:\n  pipeline: tech-article\n---\nText.\n'));
    assert.ok(await isUsed('+++\n[writeit]\npipeline = "tech-article"\n+++\nText.\n'));
    assert.ok(!(await isUsed('# How I use it\n\nwriteit: a tool.\n')));
    assert.ok(!(await isUsed('---\ntitle: Mills\n---\nText.\n')));
  });

  test('a server that cannot be run is reported', async () => {
    const app = await activateExtension();
    const section = vscode.workspace.getConfiguration('writeit');
    await section.update('server.path', '/nowhere/writeit', vscode.ConfigurationTarget.Global);
    await app.server.restart();
    assert.equal(app.server.state, 'missing');
    assert.match(app.server.reason, /\/nowhere\/writeit/);
    await openArticle();
    assert.equal(await run('writeit.ui.document.offers'), undefined);
    await activateExtension();
    await app.server.restart();
    assert.equal(app.server.state, 'running');
  });

  test('a setting of the user restarts the server, which reads it', async () => {
    const app = await activateExtension();
    const section = vscode.workspace.getConfiguration('writeit');
    const { Global, Workspace } = vscode.ConfigurationTarget;
    assert.deepEqual(userOptions(), {});
    await assert.rejects(async () => section.update('storeLocation', 'user', Workspace));
    for (const [value, expected] of [
      ['http://127.0.0.1:9', { ollamaUrl: 'http://127.0.0.1:9' }],
      [undefined, {}],
    ] as const) {
      const states: string[] = [];
      const listening = app.server.onDidChangeState((state) => states.push(state));
      await section.update('models.ollamaUrl', value, Global);
      await waitFor('the server to restart', () => states.at(-1) === 'running');
      listening.dispose();
      assert.deepEqual(userOptions(), expected);
    }
  });
});
