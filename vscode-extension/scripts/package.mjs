// Makes writeit.vsix. Nothing is fetched: the bundle holds all that it needs, and the server's
// wheel comes along, so that what can be installed fits.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, rmSync, statSync } from 'node:fs';

function run(command, args) {
  return spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'] }).status;
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

const PYTHON = '../.venv/bin/python';
rmSync('server', { recursive: true, force: true });
if (existsSync(PYTHON)) {
  const build = ['-m', 'build', '--wheel', '--no-isolation', '--outdir', 'server', '..'];
  if (run(PYTHON, build) !== 0) fail('The server could not be packed.');
} else {
  process.stderr.write(`Without the server: there is no ${PYTHON} (make test sets it up).\n`);
}

copyFileSync('../LICENSE', 'LICENSE');
const args = ['--no-dependencies', '--allow-missing-repository', '--out', 'writeit.vsix'];
if (run('npx', ['--no-install', 'vsce', 'package', ...args]) !== 0) process.exit(1);

const limits = { 'dist/extension.js': 600_000, 'writeit.vsix': 1_000_000 };
for (const [file, limit] of Object.entries(limits)) {
  const { size } = statSync(file);
  process.stdout.write(`${file}: ${size} bytes of ${limit}\n`);
  if (size > limit) fail(`${file} is too big.`);
}
