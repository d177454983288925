// Writes l10n/bundle.l10n.json, which a translator translates, from the texts in src.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { getL10nJson } from '@vscode/l10n-dev';

const files = readdirSync('src', { recursive: true }).filter((name) => name.endsWith('.ts'));
const sources = files.map((name) => readFileSync(`src/${name}`, 'utf8'));
const texts = await getL10nJson(sources.map((contents) => ({ extension: '.ts', contents })));
mkdirSync('l10n', { recursive: true });
writeFileSync('l10n/bundle.l10n.json', `${JSON.stringify(texts, undefined, 2)}\n`);
