import { strict as assert } from 'node:assert';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { extension, group } from './harness';

const LIMIT_MS = 100;
const ROUNDS = 5;

/** How long it takes to load the bundle anew, at best: other work disturbs a single try. */
function loading(bundle: string): number {
  const load = createRequire(__filename);
  const rounds = Array.from({ length: ROUNDS }, () => {
    // Its modules are forgotten with it; nothing of this copy is ever activated.
    Reflect.deleteProperty(load.cache, bundle);
    const began = performance.now();
    load(bundle);
    return performance.now() - began;
  });
  return Math.min(...rounds);
}

group('activation', (test) => {
  test('loading and activating the extension takes little of the editor', async () => {
    const app = await extension();
    const { extensionPath } = vscode.extensions.getExtension('writeit.writeit') ?? {};
    const loaded = loading(join(extensionPath ?? '', 'dist', 'extension.js'));
    console.log(
      `activation: loading ${loaded.toFixed(1)} ms, activating ${app.activationMs.toFixed(1)} ms`,
    );
    assert.ok(loaded + app.activationMs < LIMIT_MS);
  });
});
