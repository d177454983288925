// Runs an extension's tests inside VS Code's extension host, as desktop test runners do.
//
// The server must be started with `--vscode-option enable-smoke-test-driver=true`: a
// built VS Code ignores the test payload otherwise.
import { addressOf, needed, remote, tell, withPage } from './browser.mjs';

await withPage(async (page) => {
  let finish;
  const finished = new Promise((resolve) => (finish = resolve));
  await page.exposeFunction('codeAutomationLog', (type, words) => tell({ type, said: words.join(' ') }));
  await page.exposeFunction('codeAutomationExit', (code) => finish(code));
  const payload = [
    ['extensionDevelopmentPath', remote(needed('EXTENSION'))],
    ['extensionTestsPath', remote(needed('TESTS'))],
    ['skipWelcome', 'true'],
    ['skipReleaseNotes', 'true'],
  ];
  await page.goto(addressOf(needed('WORKSPACE'), payload));
  const closed = new Promise((resolve) => page.once('crash', () => resolve('the page crashed')));
  tell({ exit: await Promise.race([finished, closed]) });
});
