// The first look: Restricted Mode, trust, the walkthrough, and both high contrast themes.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { addressOf, needed, withPage } from './browser.mjs';
import { Workbench } from './workbench.mjs';

/** Whether a server of ours runs, for this test alone: each has a HOME of its own. */
function serverRuns() {
  const home = `HOME=${needed('SERVER_HOME')}`;
  return readdirSync('/proc').some((pid) => {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      const isServer = command.includes('serve') && command.some((part) => part.endsWith('/writeit'));
      return isServer && readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(home);
    } catch {
      return false; // no process, or one that has just ended
    }
  });
}

await withPage(async (page) => {
  const vscode = new Workbench(page);
  await page.goto(addressOf(needed('WORKSPACE')));

  await vscode.step('in Restricted Mode nothing runs, and it says so', async () => {
    await vscode.open('notes.md');
    await vscode.see(vscode.status(/WriteIt: restricted/));
    await vscode.openView();
    await vscode.see(page.getByText('WriteIt does nothing in Restricted Mode'));
    await vscode.palette('WriteIt: Show Which Server Runs, and Why');
    await vscode.see(vscode.toast('Trust this workspace to use it'));
    await vscode.press('F1');
    await vscode.box.locator('input').first().fill('>WriteIt: ');
    await vscode.see(vscode.rows(/Show Log/));
    if (await vscode.rows(/Start a Pipeline/).count()) throw new Error('a run could be started');
    await vscode.press('Escape');
    if (serverRuns()) throw new Error('a server runs');
  });

  await vscode.step('once the folder is trusted the server starts', async () => {
    await vscode.palette('Welcome: Open Walkthrough...');
    await vscode.pick('Select a walkthrough to open', /From notes to an article/);
    await vscode.see(vscode.guided('Start WriteIt', { done: false }));
    await vscode.status(/WriteIt: restricted/).click();
    await page.locator('.workspace-trust-editor').getByRole('button', { name: /^Trust$/ }).first().click();
    await vscode.see(page.getByText('You trust this folder'));
    await page.locator('.monaco-modal-editor-block .codicon-close').first().click();
    await vscode.until('a server', serverRuns);
    await vscode.see(page.getByText('No runs yet'));
  });

  await vscode.step('the walkthrough ticks off what is done', async () => {
    await vscode.see(vscode.guided('Start WriteIt', { done: true })); // the server runs
    await vscode.guided('Start a pipeline on your notes', { done: false }).click();
    await vscode.guideButton('Start a Pipeline…').click();
    await vscode.asked('Start a pipeline');
    await vscode.press('Escape');
    await vscode.gone(vscode.box);
  });

  await vscode.step('to have a model is done once one can be asked, not when a key is asked for', async () => {
    const title = 'Have a model to ask';
    await vscode.guided(title, { done: false }).click();
    await vscode.guideButton('Set a Key…').click();
    await vscode.asked('Whose key?');
    await vscode.press('Escape');
    await vscode.gone(vscode.box);
    await vscode.guideButton('Set a Key…').click();
    await vscode.pick('Whose key?', /^openai/);
    await vscode.asked('Key for openai');
    await vscode.see(vscode.guided(title, { done: false }));
    await vscode.type('sk-secret-of-the-tests');
    await vscode.press('Enter');
    await vscode.see(vscode.toast('in the system keyring'));
    await vscode.see(vscode.guided(title, { done: true }));
    await vscode.see(vscode.guided('Start a pipeline on your notes', { done: false }));
  });

  await vscode.step('high contrast, dark', async () => {
    await vscode.closeTab();
    await vscode.theme('Dark High Contrast');
    await vscode.see(page.locator('.monaco-workbench.hc-black'));
    await vscode.see(vscode.status(/^\s*WriteIt$/));
    await vscode.palette('WriteIt: Start a Pipeline…');
    await vscode.pick('Start a pipeline', /^tech-article/);
    await vscode.asked('Who it is for');
    await vscode.press('Enter');
    await vscode.click(vscode.toast('ready'), 'Run angles');
    await vscode.see(vscode.status(/angles.*2 answers to choose from/));
    await vscode.see(vscode.lens(/^Choose this answer/));
    await vscode.makeRoom();
    await vscode.see(vscode.treeRow(/^Answer 2/));
  });

  await vscode.step('high contrast, light', async () => {
    await vscode.theme('Light High Contrast');
    await vscode.see(page.locator('.monaco-workbench.hc-light'));
  });

  await vscode.step('the walkthrough knows that a run was started', async () => {
    await vscode.palette('Welcome: Open Walkthrough...');
    await vscode.pick('Select a walkthrough to open', /From notes to an article/);
    await vscode.see(vscode.guided('Start a pipeline on your notes', { done: true }));
    await vscode.see(vscode.guided('Choose, merge, ask anew', { done: false }));
  });

  const bare = join(needed('WORKSPACE'), 'bare.md');
  writeFileSync(bare, '# On mills\n\nThere were seven.\n');
  const start = async () => {
    await vscode.palette('WriteIt: Start a Pipeline…');
    await vscode.pick('Start a pipeline', /^tech-article/);
    await vscode.asked('Who it is for');
  };

  await vscode.step('answers are written back once that is picked', async () => {
    await vscode.palette('Go to File...');
    await vscode.type('bare.md');
    await vscode.rows(/^bare\.md/).first().click();
    await vscode.see(vscode.tab('bare.md'));
    await vscode.see(vscode.status(/^\s*WriteIt$/));
    await start();
    await vscode.holds('technical professionals');
    await vscode.type('millers: all of them');
    await vscode.press('Enter');
    await vscode.pick('Start tech-article', /keep the answers in the front matter/);
    await vscode.see(vscode.articleLines('target_audience: "millers: all of them"'));
    await vscode.see(vscode.articleLines('pipeline: tech-article'));
    await vscode.see(vscode.status(/WriteIt: angles/)); // and the run was started
  });

  await vscode.step('what was written back is filled in the next time', async () => {
    await vscode.clickLine('There were seven');
    await start();
    await vscode.holds('millers: all of them');
    await vscode.press('Escape');
    await vscode.gone(vscode.box);
  });
});
