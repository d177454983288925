// Writes l10n/bundle.l10n.json from the texts in src; `--check` only compares.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { getL10nJson } from '@vscode/l10n-dev';

const BUNDLE = 'l10n/bundle.l10n.json';

const files = readdirSync('src', { recursive: true }).filter((name) => name.endsWith('.ts'));
const sources = files.map((name) => readFileSync(`src/${name}`, 'utf8'));
const texts = await getL10nJson(sources.map((contents) => ({ extension: '.ts', contents })));
// Sorted, so that a new text changes one line.
const sorted = Object.fromEntries(Object.entries(texts).sort(([a], [b]) => (a < b ? -1 : 1)));
const bundle = `${JSON.stringify(sorted, undefined, 2)}\n`;
if (!process.argv.includes('--check')) {
  mkdirSync('l10n', { recursive: true });
  writeFileSync(BUNDLE, bundle);
} else if (readFileSync(BUNDLE, 'utf8') !== bundle) {
  console.error(`${BUNDLE} is not what src says: npm run l10n`);
  process.exitCode = 1;
}
