// Format Lua with StyLua: 100 columns, single quotes. `make style-lua` runs it; with --check
// it only lists the files that it would change.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const [folder, modules, mode] = process.argv.slice(2);
const stylua = createRequire(join(modules, 'node_modules', 'x'))('@johnnymorganz/stylua');

function config() {
  const one = stylua.Config.new(); // formatCode consumes it, so each file needs its own
  one.column_width = 100;
  one.indent_type = stylua.IndentType.Spaces;
  one.indent_width = 2;
  one.quote_style = stylua.QuoteStyle.AutoPreferSingle;
  return one;
}

let changed = 0;
for (const name of readdirSync(folder, { recursive: true }).filter((n) => n.endsWith('.lua'))) {
  const path = join(folder, name);
  const before = readFileSync(path, 'utf8');
  const after = stylua.formatCode(before, config(), undefined, stylua.OutputVerification.Full);
  if (after !== before) {
    changed += 1;
    console.log(`${mode === '--check' ? 'not in format' : 'formatted'}: ${path}`);
    if (mode !== '--check') writeFileSync(path, after);
  }
}
process.exit(mode === '--check' && changed ? 1 : 0);
