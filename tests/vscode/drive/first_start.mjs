// The first minutes: Restricted Mode, trust, the walkthrough, and both high contrast themes.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { folderUrl, required, serverRuns, withPage } from './browser.mjs';
import { titleOf, WALKTHROUGH, walkthroughStep, WORDING } from './wording.mjs';
import { Workbench } from './workbench.mjs';

const { button, choice, message, question, server, status, view } = WORDING;
const [serverStep, modelStep, startStep, chooseStep] = ['server', 'model', 'start', 'choose'].map(walkthroughStep);

await withPage(async (page) => {
  const vscode = new Workbench(page);
  await page.goto(folderUrl(required('WORKSPACE')));

  await vscode.step('in Restricted Mode nothing runs, and a view says so', async () => {
    await vscode.open('notes.md');
    await vscode.see(vscode.status(status.restricted));
    await vscode.openView();
    await vscode.see(page.getByText(view.restricted));
    await vscode.command('server.info');
    await vscode.see(vscode.toast(message.trust));
    await vscode.press('F1');
    await vscode.box.locator('input').first().fill('>WriteIt: ');
    await vscode.see(vscode.rows(titleOf('server.log')));
    if (await vscode.rows(titleOf('document.start')).count()) throw new Error('a run could be started');
    await vscode.press('Escape');
    if (serverRuns()) throw new Error('a server runs');
  });

  await vscode.step('once the folder is trusted the server starts', async () => {
    await vscode.palette('Welcome: Open Walkthrough...');
    await vscode.pick('Select a walkthrough to open', WALKTHROUGH);
    await vscode.see(vscode.walkthroughStep(serverStep.title, { done: false }));
    await vscode.status(status.restricted).click();
    await page.locator('.workspace-trust-editor').getByRole('button', { name: /^Trust$/ }).first().click();
    await vscode.see(page.getByText('You trust this folder'));
    await page.locator('.monaco-modal-editor-block .codicon-close').first().click();
    await vscode.until('a server', serverRuns);
    await vscode.see(page.getByText(view.empty));
  });

  await vscode.step('the walkthrough shows what is completed', async () => {
    await vscode.see(vscode.walkthroughStep(serverStep.title, { done: true })); // the server runs
    await vscode.walkthroughStep(startStep.title, { done: false }).click();
    await vscode.walkthroughButton(startStep.buttons['document.start']).click();
    await vscode.waitForQuestion(question.start);
    await vscode.dismissBox();
  });

  await vscode.step('the model step is completed by a model, not by the question for a key', async () => {
    const { title, buttons } = modelStep;
    const setKey = vscode.walkthroughButton(buttons['model.setKey']);
    const step = vscode.walkthroughStep(title, { done: false });
    await vscode.showInWalkthrough(WALKTHROUGH, step, setKey);
    await setKey.click();
    await vscode.waitForQuestion(question.provider);
    await vscode.dismissBox();
    await vscode.showInWalkthrough(WALKTHROUGH, step, setKey);
    await setKey.click();
    await vscode.pick(question.provider, /^openai/);
    await vscode.waitForQuestion(question.key);
    await vscode.see(vscode.walkthroughStep(title, { done: false }));
    await vscode.type('sk-secret-of-the-tests');
    await vscode.press('Enter');
    await vscode.see(vscode.toast(message.keyStored));
    await vscode.see(vscode.walkthroughStep(title, { done: true }));
    await vscode.see(vscode.walkthroughStep(startStep.title, { done: false }));
  });

  await vscode.step('high contrast, dark', async () => {
    await vscode.closeTab();
    await vscode.theme('Dark High Contrast');
    await vscode.see(page.locator('.monaco-workbench.hc-black'));
    await vscode.see(vscode.status(/^\s*WriteIt$/));
    await vscode.command('document.start');
    await vscode.pick(question.start, /^tech-article/);
    await vscode.waitForQuestion(question.input);
    await vscode.press('Enter');
    await vscode.click(vscode.toast(message.started), button.angles);
    await vscode.see(vscode.status(status.choose));
    await vscode.see(vscode.lens(server.chooseAnswer));
    await vscode.collapseOtherViews();
    await vscode.see(vscode.treeRow(/^Answer 2/));
  });

  await vscode.step('high contrast, light', async () => {
    await vscode.theme('Light High Contrast');
    await vscode.see(page.locator('.monaco-workbench.hc-light'));
  });

  await vscode.step('the walkthrough knows that a run was started', async () => {
    await vscode.palette('Welcome: Open Walkthrough...');
    await vscode.pick('Select a walkthrough to open', WALKTHROUGH);
    await vscode.see(vscode.walkthroughStep(startStep.title, { done: true }));
    await vscode.see(vscode.walkthroughStep(chooseStep.title, { done: false }));
  });

  const bare = join(required('WORKSPACE'), 'bare.md');
  writeFileSync(bare, '# On mills\n\nThere were seven.\n');
  const start = async () => {
    await vscode.command('document.start');
    await vscode.pick(question.start, /^tech-article/);
    await vscode.waitForQuestion(question.input);
  };

  await vscode.step('inputs are saved in the front matter if the user says so', async () => {
    await vscode.palette('Go to File...');
    await vscode.type('bare.md');
    await vscode.rows(/^bare\.md/).first().click();
    await vscode.see(vscode.tab('bare.md'));
    await vscode.see(vscode.status(/^\s*WriteIt$/));
    await start();
    await vscode.hasValue('technical professionals');
    await vscode.type('millers: all of them');
    await vscode.press('Enter');
    await vscode.pick(question.save, choice.saveInputs);
    await vscode.see(vscode.articleLines('target_audience: "millers: all of them"'));
    await vscode.see(vscode.articleLines('pipeline: tech-article'));
    await vscode.see(vscode.status(/WriteIt: angles/)); // the run has started
  });

  await vscode.step('saved inputs are filled in the next time', async () => {
    await vscode.clickLine('There were seven');
    await start();
    await vscode.hasValue('millers: all of them');
    await vscode.dismissBox();
  });
});
