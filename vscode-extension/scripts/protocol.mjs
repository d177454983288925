// Writes src/protocol.ts from the wire contract's JSON Schema; `--check` only compares.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { compile } from 'json-schema-to-typescript';
import { format, resolveConfig } from 'prettier';

const SCHEMA = fileURLToPath(new URL('../../docs/protocol.schema.json', import.meta.url));
const MIRROR = fileURLToPath(new URL('../src/protocol.ts', import.meta.url));
const BANNER = `// The wire contract, made from docs/protocol.schema.json by \`npm run protocol\`: do not edit.`;

const contract = JSON.parse(readFileSync(SCHEMA, 'utf8'));
const text = await mirror(contract);
if (!process.argv.includes('--check')) {
  writeFileSync(MIRROR, text);
} else if (readFileSync(MIRROR, 'utf8') !== text) {
  console.error('src/protocol.ts is not what docs/protocol.schema.json says: npm run protocol');
  process.exitCode = 1;
}

async function mirror({ commands, errors, errorData, stream, $defs }) {
  const command = ({ params, result }) => object({ params, result });
  const root = object({
    commands: named('Commands', object(map(commands, command))),
    errors: named('ErrorCodes', object(map(errors, (code) => ({ const: code })))),
    errorData: named('ErrorData', { anyOf: Object.values(errorData) }),
    stream: named('StreamEvent', { anyOf: Object.values(stream) }),
  });
  const definitions = map({ ...$defs, JsonValue: { tsType: 'unknown' } }, (schema, name) =>
    named(name, plain(schema)),
  );
  const compiled = await compile({ ...root, $defs: definitions }, 'Contract', {
    additionalProperties: false,
    bannerComment: BANNER,
    format: false,
    unreachableDefinitions: true,
  });
  const aliases = [
    'export type CommandName = keyof Commands;',
    'export type ErrorKind = keyof ErrorCodes;',
  ];
  const options = { ...(await resolveConfig(MIRROR)), parser: 'typescript' };
  return format([settled(compiled), ...aliases].join('\n'), options);
}

/** What came over the wire is never changed. The package says which definition a type is of. */
function settled(typescript) {
  return typescript
    .replaceAll(/^ \* (\n \* )?This interface was referenced by .*\n \* via .*\n/gm, '')
    .replaceAll(/(\w+|\([^()]*\))\[\]/g, 'readonly $1[]')
    .replaceAll(/^(\w+\??|"[^"]+"|\[k: string\]): /gm, 'readonly $1: ')
    .replaceAll('/**\n */\n', '');
}

function object(properties) {
  return { type: 'object', properties, required: Object.keys(properties) };
}

function named(title, schema) {
  return { ...schema, title };
}

function map(entries, change) {
  return Object.fromEntries(
    Object.entries(entries).map(([name, value]) => [name, change(value, name)]),
  );
}

/** A schema without the titles and bounds that would become types of their own. */
function plain(schema) {
  if (Array.isArray(schema)) {
    return schema.map(plain);
  }
  if (typeof schema !== 'object' || schema === null) {
    return schema;
  }
  const { title, default: _, minItems, maxItems, properties, ...rest } = schema;
  const kept = map(rest, plain);
  return properties === undefined ? kept : { ...kept, properties: fields(schema) };
}

/** What may be left out may also be given as undefined. */
function fields({ properties, required = [] }) {
  return map(properties, (field, name) => {
    const isRequired = required.includes(name);
    return isRequired ? plain(field) : { anyOf: [plain(field), { tsType: 'undefined' }] };
  });
}
