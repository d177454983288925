import { strict as assert } from 'node:assert';
import { extension, group } from './harness';

const LIMIT_MS = 100;

interface Mark {
  readonly name: string;
  readonly startTime: number;
}

/** The moments VS Code notes for itself in its extension host. */
function marks(): readonly Mark[] {
  const kept = (globalThis as { MonacoPerformanceMarks?: { getMarks(): readonly Mark[] } })
    .MonacoPerformanceMarks;
  return kept?.getMarks() ?? [];
}

function between(from: string, to: string): number {
  const at = (name: string): number => {
    const mark = marks().find((one) => one.name === `code/extHost/${name}/writeit.writeit`);
    assert.ok(mark, `VS Code did not note ${name}`);
    return mark.startTime;
  };
  return at(to) - at(from);
}

group('activation', (test) => {
  test('loading and activating the extension takes little of the editor', async () => {
    await extension();
    const loading = between('willLoadExtensionCode', 'didLoadExtensionCode');
    const activating = between('willActivateExtension', 'didActivateExtension');
    console.log(`activation: loading ${loading} ms, activating ${activating} ms`);
    assert.ok(loading + activating < LIMIT_MS, `${loading} + ${activating} ms`);
  });
});
