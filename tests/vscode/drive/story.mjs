// One story: from notes to article, as a writer tells it with keys and clicks.
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { addressOf, needed, withPage } from './browser.mjs';
import { Workbench } from './workbench.mjs';

const notes = join(needed('WORKSPACE'), 'notes.md');
const onDisk = () => readFileSync(notes, 'utf8');
/** Answers of that name have been seen coming; now they may end. */
const letEnd = (name) => writeFileSync(join(needed('GATE'), name), '');
const hold = (name) => rmSync(join(needed('GATE'), name));

/** Titles in the palette. */
const ASKS = ['Run the Next Step', 'Run the Step With Other Models'];
const RESTORE = 'Restore the Text';

await withPage(async (page) => {
  const vscode = new Workbench(page);
  await page.goto(addressOf(needed('WORKSPACE')));

  await vscode.step('a run is started from the palette', async () => {
    await vscode.open('notes.md');
    await vscode.see(vscode.status(/^\s*WriteIt$/)); // the server is there
    await vscode.palette('WriteIt: Start a Pipeline…');
    await vscode.pick('Start a pipeline', /^tech-article/);
    await vscode.asked('Who it is for');
    await vscode.holds('people who live by a river'); // as the front matter says
    await vscode.press('Enter');
    await vscode.see(vscode.lens(/ready to run/));
    await vscode.see(vscode.lines('Ready to begin'));
  });

  await vscode.step('the palette has what fits a run that was not asked yet', async () => {
    await vscode.inPalette({
      has: [...ASKS, 'Skip the Step'],
      lacks: ['Branch at a Step', 'Rewind to a Step', 'Give Feedback', 'Choose an Answer', RESTORE],
    });
  });

  await vscode.step('two answers stream beside the notes', async () => {
    await vscode.click(vscode.toast('ready'), 'Run angles');
    await vscode.see(vscode.lines('2 of 2 answers are still coming'));
    await vscode.see(vscode.lines('The river that decides'));
    letEnd('angles');
  });

  await vscode.step('the palette has what fits a choice', async () => {
    await vscode.see(vscode.status(/angles.*2 answers to choose from/));
    await vscode.inPalette({
      has: ['Choose an Answer', 'Ask Anew', 'Branch at a Step', 'Give Feedback'],
      lacks: [...ASKS, 'Rewind to a Step', RESTORE],
    });
  });

  await vscode.step('an answer is chosen', async () => {
    await vscode.palette('WriteIt: Choose an Answer…');
    await vscode.pick('Choose an answer', /heron/);
    await vscode.see(vscode.toast('Chosen'));
  });

  await vscode.step('an answer is cancelled and what came is kept', async () => {
    await vscode.click(vscode.toast('Chosen'), 'Run outline');
    await vscode.see(vscode.lines('And once more'));
    await vscode.click(vscode.toast('asking outline'), 'Cancel');
    await vscode.see(vscode.lines('Not whole'));
    await vscode.see(vscode.lens(/paused/));
  });

  await vscode.step('two drafts are compared', async () => {
    await vscode.lens(/^Choose this answer/).first().click();
    await vscode.click(vscode.toast('Chosen'), 'Run draft');
    await vscode.see(vscode.status(/draft.*2 answers to choose from/));
    await vscode.palette('WriteIt: Compare Answers…');
    await vscode.see(vscode.diffLines('Seven wheels'));
    await vscode.see(vscode.diffLines('The river that decides'));
  });

  await vscode.step('the run shows as a tree, where a draft is chosen', async () => {
    await vscode.closeTab();
    await vscode.openSideBar();
    await vscode.unfold(/^Notes on rivers/, /^draft/);
    await vscode.inline(/^Answer \d: openai\/heron-draft/, 'Choose');
    await vscode.click(vscode.toast('Chosen'), 'Run polish');
    await vscode.see(vscode.treeRow(/^polish.*to choose from/));
    await vscode.see(vscode.treeRow(/^Answer 1: openai\/heron-polish/));
    await vscode.inline(/^Answer 1: openai\/heron-polish/, 'Choose');
    await vscode.see(vscode.toast('finished'));
  });

  const before = onDisk();
  await vscode.step('the text is applied in place of the notes', async () => {
    await vscode.clickLine('Notes on rivers');
    await vscode.see(vscode.status(/finished/));
    await vscode.palette('WriteIt: Apply the Text As…');
    await vscode.pick('Apply the text', /In place/);
    await vscode.see(vscode.articleLines('It is older than the town'));
    await vscode.until('it is saved', () => onDisk().includes('It is older than the town'));
    await vscode.inPalette({ has: [RESTORE, 'Rewind to a Step'], lacks: ASKS });
  });

  await vscode.step('one undo takes it back', async () => {
    await vscode.clickLine('The river that decides');
    await vscode.press('Control+z');
    await vscode.see(vscode.articleLines('The mills stand further down'));
    await vscode.press('Control+s');
    await vscode.until('the notes are as they were', () => onDisk() === before);
  });

  await vscode.step('a selected passage is polished', async () => {
    letEnd('passage');
    await vscode.selectLine('The mills stand further down');
    await vscode.palette('WriteIt: Polish or Rewrite the Selection…');
    await vscode.pick('Rewrite', /^polish-passage/);
    await vscode.see(vscode.articleLines('The mills stand downstream'));
    const expected = before.replace('further down, and their wheels turn', 'downstream, and their wheels turn day and night');
    await vscode.until('nothing else has changed', () => onDisk() === expected);
  });

  await vscode.step('one undo takes the polish back', async () => {
    await vscode.press('Control+z');
    await vscode.see(vscode.articleLines('The mills stand further down'));
  });

  await vscode.step('a polish that meets words of her own is told, and hers stay', async () => {
    hold('passage');
    await vscode.selectLine('The mills stand further down');
    await vscode.palette('WriteIt: Polish or Rewrite the Selection…');
    await vscode.pick('Rewrite', /^polish-passage/);
    await vscode.see(vscode.toast(/rewriting.*0 of 1 answer ended, [1-9]/));
    await vscode.selectLine('The mills stand further down');
    await page.keyboard.type('The mills stand up at the weir, and their wheels turn.\n');
    await vscode.press('Control+s');
    await vscode.until('all of it is saved, so the server has it', () => onDisk().includes('up at the weir, and their wheels turn.\n'));
    letEnd('passage');
    await vscode.see(vscode.status(/your own words stayed in 1 place/));
    await vscode.see(vscode.lens(/^Your words stayed/));
    await vscode.see(vscode.diffLines('The mills stand downstream'));
    await vscode.see(vscode.articleLines('The mills stand up at the weir'));
  });

  await vscode.step('she keeps hers, and nothing is left to settle', async () => {
    await vscode.lens(/^Keep mine/).click();
    await vscode.gone(vscode.status(/your own words stayed/));
    await vscode.gone(vscode.lens(/^Your words stayed/));
    await vscode.see(vscode.articleLines('The mills stand up at the weir'));
  });

  await vscode.step('a branch takes the other draft', async () => {
    await vscode.inline(/^draft/, 'Branch');
    await vscode.see(vscode.status(/draft.*2 answers to choose from/));
    await vscode.palette('WriteIt: Choose an Answer…');
    await vscode.pick('Choose an answer', /otter/);
    await vscode.see(vscode.toast('Chosen'));
    await vscode.see(vscode.treeRow(/^Branch at draft.*at polish/));
  });

  await vscode.step('the branch is compared with the run it left', async () => {
    await vscode.menu(/^Branch at draft/, 'Compare With the Run It Branched Off');
    await vscode.pick('Compare', /^draft/);
    await vscode.see(vscode.diffLines('Seven wheels'));
    await vscode.see(vscode.diffLines('The river that decides'));
  });
});
