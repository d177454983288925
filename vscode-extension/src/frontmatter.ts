import { load } from 'js-yaml';

const HEAD = /^\uFEFF?---[ \t]*\r?\n([\s\S]*?)\r?\n(?:---|\.\.\.)[ \t]*(?:\r?\n|$)/;

/** The pipeline a document is bound to. */
export function pipelineOf(text: string): string | undefined {
  const pipeline = field(section(text), 'pipeline');
  return typeof pipeline === 'string' ? pipeline : undefined;
}

/** The inputs a document's front matter gives; none where there is none that can be read. */
export function inputsOf(text: string): Readonly<Record<string, string>> {
  const inputs = field(section(text), 'inputs');
  if (typeof inputs !== 'object' || inputs === null) {
    return {};
  }
  return Object.fromEntries(
    Object.entries(inputs).flatMap(([name, value]) =>
      isScalar(value) ? [[name, String(value)]] : [],
    ),
  );
}

function section(text: string): unknown {
  const block = HEAD.exec(text)?.[1];
  return block === undefined ? undefined : field(parsed(block), 'writeit');
}

function parsed(block: string): unknown {
  try {
    return load(block);
  } catch {
    return undefined; // the server says what is wrong with it when the run starts
  }
}

function field(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null
    ? (value as Record<string, unknown>)[key]
    : undefined;
}

function isScalar(value: unknown): value is string | number | boolean {
  return ['string', 'number', 'boolean'].includes(typeof value);
}
