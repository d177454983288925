// Makes writeit.vsix with the server's wheel in it, so that what can be installed fits; or fails.
import { spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';

const PYTHONS = ['../.venv/bin/python', 'python3.14', 'python3.13', 'python3.12', 'python3.11'];

/** The limits in bytes. */
const LIMITS = { 'dist/extension.js': 600_000, 'writeit.vsix': 3_000_000 };

function run(command, args, stdio = ['ignore', 'inherit', 'inherit']) {
  return spawnSync(command, args, { stdio }).status === 0;
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

function buildServer() {
  rmSync('server', { recursive: true, force: true });
  const has = (python, modules) => run(python, ['-c', `import ${modules}`], 'ignore');
  const developer = PYTHONS.find((python) => has(python, 'build, hatchling'));
  if (developer !== undefined) {
    const build = ['-m', 'build', '--wheel', '--no-isolation', '--outdir', 'server', '..'];
    return run(developer, build) || fail('The wheel of the server could not be built.');
  }
  const python = [...PYTHONS, 'python3', 'python'].find((name) => has(name, 'pip, tomllib'));
  if (python === undefined) fail('Python 3.11 or newer with pip is needed to build the server.');
  const wheel = ['-m', 'pip', 'wheel', '--no-deps', '--wheel-dir', 'server', '..'];
  return run(python, wheel) || fail('The wheel of the server could not be built.');
}

buildServer();
copyFileSync('../LICENSE', 'LICENSE');
const changes = readFileSync('../CHANGELOG.md', 'utf8');
writeFileSync('CHANGELOG.md', changes.replaceAll('](docs/', '](../docs/'));
const args = ['--no-dependencies', '--out', 'writeit.vsix'];
if (!run('npx', ['--no-install', 'vsce', 'package', ...args])) process.exit(1);

for (const [file, limit] of Object.entries(LIMITS)) {
  const { size } = statSync(file);
  process.stdout.write(`${file}: ${size} bytes of ${limit}\n`);
  if (size > limit) fail(`${file} is too big.`);
}
