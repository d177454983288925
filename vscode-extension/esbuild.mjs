// Bundles the extension and the page of the desk, or with `--tests` its extension-host tests.
import { build } from 'esbuild';

const tests = process.argv.includes('--tests');
const shared = {
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  external: ['vscode'],
  logLevel: 'warning',
};

await build(
  tests
    ? {
        ...shared,
        entryPoints: ['test/index.ts'],
        outfile: 'dist-test/index.js',
        sourcemap: 'inline',
      }
    : { ...shared, entryPoints: ['src/extension.ts'], outfile: 'dist/extension.js', minify: true },
);
if (!tests) {
  await build({
    bundle: true,
    entryPoints: { desk: 'src/desk/webview/main.ts' },
    outdir: 'dist',
    format: 'iife',
    platform: 'browser',
    target: 'chrome128',
    logLevel: 'warning',
    minify: true,
  });
}
