// The pages of a run: read, choose, merge and regenerate on them.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { folderUrl, required, withPage } from './browser.mjs';
import { Workbench } from './workbench.mjs';

const release = (name) => writeFileSync(join(required('GATE'), name), '');

await withPage(async (page) => {
  const vscode = new Workbench(page);
  page.on('console', (m) => process.stdout.write(JSON.stringify({ console: m.text().slice(0, 400) }) + '\n'));
  page.setDefaultTimeout(20000);
  await page.goto(folderUrl(required('WORKSPACE')));
  const desk = page.frameLocator('iframe.webview.ready').frameLocator('iframe#active-frame');

  await vscode.step('start', async () => {
    await vscode.open('notes.md');
    await vscode.see(vscode.status(/^\s*WriteIt$/));
    await vscode.lens(/Start and generate|Start tech-article and generate/).first().click();
    await vscode.see(desk.locator('h1', { hasText: 'angles' }));
    await vscode.see(desk.locator('.answer', { hasText: 'The river that decides' }));
  });
  await vscode.step('ended', async () => {
    release('angles');
    await vscode.see(desk.getByRole('button', { name: 'Choose and Continue' }));
  });
});
