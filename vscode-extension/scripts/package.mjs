// Makes writeit.vsix. Nothing is fetched: the bundle holds all that it needs.
import { spawnSync } from 'node:child_process';
import { copyFileSync, statSync } from 'node:fs';

copyFileSync('../LICENSE', 'LICENSE');
const args = [
  'vsce',
  'package',
  '--no-dependencies',
  '--allow-missing-repository',
  '--out',
  'writeit.vsix',
];
const { status } = spawnSync('npx', ['--no-install', ...args], { stdio: 'inherit' });
if (status !== 0) process.exit(status ?? 1);

const limits = { 'dist/extension.js': 600_000, 'writeit.vsix': 1_000_000 };
for (const [file, limit] of Object.entries(limits)) {
  const { size } = statSync(file);
  process.stdout.write(`${file}: ${size} bytes of ${limit}\n`);
  if (size > limit) {
    process.stderr.write(`${file} is too big.\n`);
    process.exit(1);
  }
}
