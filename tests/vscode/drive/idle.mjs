// A folder in which WriteIt was never used: nothing starts before the first command.
import { folderUrl, notesUrl, required, serverRuns, withPage } from './browser.mjs';
import { WORDING } from './wording.mjs';
import { Workbench } from './workbench.mjs';

const { message, question, status } = WORDING;

await withPage(async (page) => {
  const vscode = new Workbench(page);
  const open = async () => {
    await page.goto(folderUrl(required('WORKSPACE')));
    await vscode.open('notes.md');
  };

  await vscode.step('nothing starts, and the status bar says how to', async () => {
    await open();
    await vscode.see(vscode.status(status.idle));
    await vscode.openView();
    await vscode.see(page.getByRole('button', { name: status.start }));
    if (serverRuns()) throw new Error('a server runs');
  });

  await vscode.step('the first command starts it by its keys', async () => {
    await vscode.clickLine('Notes on mills');
    await vscode.press('Control+Alt+w', 's');
    await vscode.pick(question.start, /^tech-article/);
    await vscode.waitForQuestion(question.input);
    await vscode.press('Enter');
    await vscode.pick(question.save, /^Start(?! and)/);
    await vscode.see(vscode.toast(message.started));
    if (!serverRuns()) throw new Error('no server runs');
  });

  await vscode.step('then the folder is known', async () => {
    await page.goto(notesUrl());
    await vscode.see(vscode.status(/WriteIt: angles/));
  });

  await vscode.step('the keys are listed by provider', async () => {
    await vscode.command('model.setKey');
    await vscode.waitForQuestion(question.provider);
    await vscode.see(vscode.rows(/^openai/));
  });
});
