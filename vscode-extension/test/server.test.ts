import { strict as assert } from 'node:assert';
import { readdir, readFile } from 'node:fs/promises';
import * as vscode from 'vscode';
import { userOptions } from '../src/settings';
import { article, extension, group, run, SERVER, until } from './harness';

/** The server's process: the child of this extension host that runs it. */
async function serverProcess(): Promise<number> {
  for (const name of await readdir('/proc')) {
    const text = async (file: string): Promise<string> =>
      /^\d+$/.test(name) ? readFile(`/proc/${name}/${file}`, 'utf8').catch(() => '') : '';
    const isOurs = (await text('status')).includes(`\nPPid:\t${process.pid}\n`);
    if (isOurs && (await text('cmdline')).includes(`${SERVER}\0serve`)) {
      return Number(name);
    }
  }
  throw new Error('the server has no process');
}

group('server', (test) => {
  test('the server that the setting names is taken, and the reason is known', async () => {
    const app = await extension();
    assert.match(app.server.description, /setting writeit\.server\.path/);
  });

  test('restarts asked for at once are one restart', async () => {
    const app = await extension();
    const states: string[] = [];
    const listening = app.server.onDidChangeState((state) => states.push(state));
    await Promise.all([app.server.restart(), app.server.restart(), app.server.restart()]);
    listening.dispose();
    assert.deepEqual(states, ['starting', 'running']);
  });

  test('a command given while the server starts is answered once it runs', async () => {
    const app = await extension();
    void app.server.restart();
    const { pipelines } = await app.server.execute('writeit.pipeline.list', {});
    assert.ok(pipelines.some(({ name }) => name === 'tech-article'));
  });

  test('a server that dies is started again, and its work goes on', async () => {
    const app = await extension();
    const states: string[] = [];
    const listening = app.server.onDidChangeState((state) => states.push(state));
    process.kill(await serverProcess(), 'SIGKILL');
    await until('the new server', () => states.at(-1) === 'running');
    listening.dispose();
    assert.ok(states.includes('starting'));
    const { pipelines } = await app.server.execute('writeit.pipeline.list', {});
    assert.ok(pipelines.length > 0);
  });

  test('a server that cannot be run is said so, and the editor lives on', async () => {
    const app = await extension();
    const section = vscode.workspace.getConfiguration('writeit');
    await section.update('server.path', '/nowhere/writeit', vscode.ConfigurationTarget.Global);
    await app.server.restart();
    assert.equal(app.server.state, 'missing');
    assert.match(app.server.reason, /\/nowhere\/writeit cannot be run/);
    await article();
    assert.equal(await run('writeit.ui.document.offers'), undefined);
    await extension();
    await app.server.restart();
    assert.equal(app.server.state, 'running');
  });

  test('a setting of the user alone starts the server anew, which is told it', async () => {
    const app = await extension();
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
      await until('the server to be started anew', () => states.at(-1) === 'running');
      listening.dispose();
      assert.deepEqual(userOptions(), expected);
    }
  });
});
