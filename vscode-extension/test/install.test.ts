import { strict as assert } from 'node:assert';
import { chmod, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { install } from '../src/server/install';
import { InstallProblem } from '../src/server/installProblem';
import { group } from './harness';

/** A new folder; with a script for each given command. */
async function folderWith(commands: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'writeit-install-'));
  for (const [name, script] of Object.entries(commands)) {
    await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`);
    await chmod(join(folder, name), 0o755);
  }
  return folder;
}

/** The problem of an installation with only these commands, and the real Python if wanted. */
async function problemOf(
  commands: Readonly<Record<string, string>>,
  { what = 'writeit-that-does-not-exist', target = '', real = false } = {},
): Promise<InstallProblem> {
  const before = { ...process.env };
  const bin = await folderWith(commands);
  const path = real ? `${bin}${delimiter}${before['PATH'] ?? ''}` : bin;
  Object.assign(process.env, { PATH: path, PIP_INDEX_URL: 'http://127.0.0.1:9', PIP_RETRIES: '1' });
  const folder = target === '' ? join(await folderWith({}), 'server') : target;
  try {
    await install(folder, what, new AbortController().signal, () => undefined);
  } catch (error) {
    assert.ok(error instanceof InstallProblem, String(error));
    console.log(`install: ${error.message}`);
    return error;
  } finally {
    process.env = before;
  }
  throw new Error('it was installed');
}

const MODERN = 'if [ "$1" = -c ]; then echo 3.12.4; echo "$0"; exit; fi';
const DEBIAN = [
  'The virtual environment was not created successfully because ensurepip is not available.',
  'On Debian or Ubuntu systems, you need to install the python3-venv package.',
].join('\n');

group('install', (test) => {
  test('without Python, the message has the command of this system', async () => {
    const { message, command } = await problemOf({});
    assert.match(message, /^Python was not found\./);
    assert.match(command ?? '', /install/);
  });

  test('the message names interpreters that are too old or do not run', async () => {
    const { message } = await problemOf({
      'python3.13': 'echo "python3.13: broken link" >&2; exit 1',
      python3: 'echo 3.9.2; echo /usr/bin/python3',
    });
    assert.match(message, /python3\.13: broken link/);
    assert.match(message, /python3 is version 3\.9\.2/);
  });

  test('without the venv module, the message has the words of Python', async () => {
    const python = `${MODERN}\necho "${DEBIAN}"; exit 1`;
    const { message } = await problemOf({ 'python3.12': python });
    assert.match(message, /^Python 3\.12\.4 has no venv module\./);
    assert.match(message, /ensurepip is not available/);
  });

  test('without a network, pip is quoted', async () => {
    const { message } = await problemOf({}, { real: true });
    assert.match(message, /^pip could not download/);
    assert.match(message, /No matching distribution found for writeit-that-does-not-exist/);
  });

  test('a damaged wheel is named', async () => {
    const wheel = join(await folderWith({}), 'writeit-0.1.0-py3-none-any.whl');
    await writeFile(wheel, 'not a zip file');
    const { message } = await problemOf({}, { what: wheel, real: true });
    assert.match(message, /^The package of the server is damaged\./);
    assert.ok(message.includes('writeit-0.1.0-py3-none-any.whl'), message);
  });

  test('a folder that cannot be written to is named', async () => {
    // Not by its mode, which does not count for root: a file is where its parent should be.
    const file = join(await folderWith({}), 'storage');
    await writeFile(file, '');
    const { message } = await problemOf({}, { target: join(file, 'server'), real: true });
    assert.match(message, /cannot be written to/);
    assert.ok(message.includes(file), message);
  });
});
