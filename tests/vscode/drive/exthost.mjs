// Runs the extension's tests inside VS Code's extension host, as desktop test runners do.
//
// code-server must be started with `--vscode-option enable-smoke-test-driver=true`: a
// built VS Code ignores the test payload otherwise.
import { folderUrl, required, remoteUri, report, withPage } from './browser.mjs';

await withPage(async (page) => {
  let finish;
  const finished = new Promise((resolve) => (finish = resolve));
  await page.exposeFunction('codeAutomationLog', (type, words) => report({ type, text: words.join(' ') }));
  await page.exposeFunction('codeAutomationExit', (code) => finish(code));
  const payload = [
    ['extensionDevelopmentPath', remoteUri(required('EXTENSION'))],
    ['extensionTestsPath', remoteUri(required('TESTS'))],
    ['skipWelcome', 'true'],
    ['skipReleaseNotes', 'true'],
  ];
  await page.goto(folderUrl(required('WORKSPACE'), payload));
  const closed = new Promise((resolve) => page.once('crash', () => resolve('the page crashed')));
  report({ exit: await Promise.race([finished, closed]) });
});
