// One story: from notes to article, with keys and clicks.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { folderUrl, required, withPage } from './browser.mjs';
import { titleOf, WORDING } from './wording.mjs';
import { Workbench } from './workbench.mjs';

const { button, choice, lens, message, question, server, status, view } = WORDING;

const notes = join(required('WORKSPACE'), 'notes.md');
const onDisk = () => readFileSync(notes, 'utf8');
/** Let the answers of that name end, after they were seen streaming. */
const release = (name) => writeFileSync(join(required('GATE'), name), '');
const hold = (name) => rmSync(join(required('GATE'), name));

const GENERATE = ['step.run', 'step.askModels'];

await withPage(async (page) => {
  const vscode = new Workbench(page);
  await page.goto(folderUrl(required('WORKSPACE')));

  await vscode.step('a run is started from the palette', async () => {
    await vscode.open('notes.md');
    await vscode.see(vscode.status(/^\s*WriteIt$/)); // the server runs
    await vscode.command('document.start');
    await vscode.pick(question.start, /^tech-article/);
    await vscode.waitForQuestion(question.input);
    await vscode.hasValue('people who live by a river'); // from the front matter
    await vscode.press('Enter');
    await vscode.see(vscode.lens(server.stepIsNext));
    await vscode.see(vscode.lines(server.runIsNew));
  });

  await vscode.step('the palette offers what applies to a new run', async () => {
    await vscode.inPalette({
      has: [...GENERATE, 'step.skip'],
      lacks: ['run.branch', 'run.rewind', 'step.feedback', 'step.choose', 'document.restore'],
    });
  });

  await vscode.step('two answers stream beside the notes', async () => {
    await vscode.click(vscode.toast(message.started), button.angles);
    await vscode.see(vscode.lines(server.streaming));
    await vscode.see(vscode.lines('The river that decides'));
    release('angles');
  });

  await vscode.step('the palette offers what applies to a choice', async () => {
    await vscode.see(vscode.status(new RegExp(`angles.*${status.choose}`)));
    await vscode.inPalette({
      has: ['step.choose', 'step.regenerate', 'run.branch', 'step.feedback'],
      lacks: [...GENERATE, 'run.rewind', 'document.restore'],
    });
  });

  await vscode.step('an angle is chosen, and the next step is generated', async () => {
    await vscode.command('step.choose');
    await vscode.pick(question.answer, server.chooseAngle);
    await vscode.see(vscode.toast(message.generating));
  });

  await vscode.step('an answer is cancelled and what was received is kept', async () => {
    await vscode.see(vscode.lines('And once more'));
    await vscode.click(vscode.toast(message.generating), button.cancel);
    await vscode.see(vscode.lines(server.incomplete));
    await vscode.see(vscode.lens(server.stopped));
  });

  await vscode.step('two drafts are compared', async () => {
    await vscode.lens(server.chooseAnswer).first().click();
    await vscode.click(vscode.toast(message.chosen), button.draft);
    await vscode.see(vscode.status(new RegExp(`draft.*${status.choose}`)));
    await vscode.command('response.compare');
    await vscode.see(vscode.diffLines('Seven wheels'));
    await vscode.see(vscode.diffLines('The river that decides'));
  });

  await vscode.step('the run shows as a tree, where a draft is chosen', async () => {
    await vscode.closeTab();
    await vscode.openView();
    await vscode.collapseOtherViews();
    await vscode.expand(/^Notes on rivers/, /^draft/);
    await vscode.inline(/^Answer \d: openai\/heron-draft/, titleOf('line.step.chooseAndContinue'));
    await vscode.see(vscode.treeRow(/^polish.*1 answer/));
    await vscode.see(vscode.treeRow(/^Answer 1: openai\/heron-polish/));
    await vscode.inline(/^Answer 1: openai\/heron-polish/, titleOf('line.step.choose'));
    await vscode.see(vscode.toast(message.finished));
  });

  const before = onDisk();
  await vscode.step('the text is applied in place of the notes', async () => {
    await vscode.clickLine('Notes on rivers');
    await vscode.see(vscode.status(status.finished));
    await vscode.command('document.applyAs');
    await vscode.pick(question.applyAs, choice.replace);
    await vscode.see(vscode.articleLines('It is older than the town'));
    await vscode.until('it is saved', () => onDisk().includes('It is older than the town'));
    await vscode.inPalette({ has: ['document.restore', 'run.rewind'], lacks: GENERATE });
  });

  await vscode.step('one undo reverts the apply', async () => {
    await vscode.clickLine('The river that decides');
    await vscode.press('Control+z');
    await vscode.see(vscode.articleLines('The mills stand further down'));
    await vscode.press('Control+s');
    await vscode.until('the notes are as they were', () => onDisk() === before);
  });

  await vscode.step('the rewrite chord asks for one line and rewrites the paragraph', async () => {
    release('passage');
    await vscode.clickLine('The mills stand further down');
    await vscode.press('Control+Alt+w', 'w');
    await vscode.waitForQuestion(question.instruction);
    await vscode.type('say where');
    await vscode.press('Enter');
    await vscode.see(vscode.articleLines('The mills stand downstream'));
    const expected = before.replace('further down, and their wheels turn', 'downstream, and their wheels turn day and night');
    await vscode.until('nothing else has changed', () => onDisk() === expected);
  });

  await vscode.step('the change has its lenses, and a chord undoes it', async () => {
    await vscode.see(vscode.lens(lens.change));
    await vscode.clickLine('The mills stand downstream');
    await vscode.press('Control+Alt+w', 'z');
    await vscode.see(vscode.articleLines('The mills stand further down'));
    await vscode.gone(vscode.lens(lens.change));
  });

  await vscode.step('a polish that conflicts with new text keeps the user’s version', async () => {
    hold('passage');
    await vscode.selectLine('The mills stand further down');
    await vscode.command('document.polish');
    await vscode.pick(question.rewrite, /^polish-passage/);
    await vscode.see(vscode.toast(new RegExp(`${message.rewriting}.*, [1-9]`)));
    await vscode.selectLine('The mills stand further down');
    await page.keyboard.type('The mills stand up at the weir, and their wheels turn.\n');
    await vscode.press('Control+s');
    await vscode.until('all of it is saved, so the server has read it', () => onDisk().includes('up at the weir, and their wheels turn.\n'));
    release('passage');
    await vscode.see(vscode.status(status.conflict));
    await vscode.see(vscode.lens(lens.conflict));
    await vscode.see(vscode.diffLines('The mills stand downstream'));
    await vscode.see(vscode.articleLines('The mills stand up at the weir'));
  });

  await vscode.step('the user keeps their version, and the conflict is resolved', async () => {
    await vscode.lens(lens.keep).click();
    await vscode.gone(vscode.status(status.conflict));
    await vscode.gone(vscode.lens(lens.conflict));
    await vscode.see(vscode.articleLines('The mills stand up at the weir'));
  });

  await vscode.step('a branch chooses the other draft', async () => {
    await vscode.inline(/^draft/, titleOf('line.run.branch'));
    await vscode.see(vscode.status(new RegExp(`draft.*${status.choose}`)));
    await vscode.command('step.choose');
    await vscode.pick(question.answer, new RegExp(`^${server.chooseDraft}.*otter`));
    await vscode.see(vscode.toast(message.chosen));
    await vscode.see(vscode.treeRow(new RegExp(`^${view.branch}.*polish`)));
  });

  await vscode.step('the branch is compared with the original run', async () => {
    await vscode.menu(new RegExp(`^${view.branch}`), titleOf('line.run.diffParent'));
    await vscode.see(vscode.diffLines('Seven wheels'));
    await vscode.see(vscode.diffLines('The river that decides'));
  });
});
