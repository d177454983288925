// The pages of a run, from notes to article: acts are counted, pictures taken, processes killed.
//
// One act is a command with what is typed behind it, a click on a button or a lens, or a
// confirmed entry. Going to a place, selecting and reading are none.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { folderUrl, notesUrl, picture, report, required, screenshot, withPage } from './browser.mjs';
import { titleOf } from './wording.mjs';
import { Workbench } from './workbench.mjs';

const WORKSPACE = required('WORKSPACE');
const release = (name) => writeFileSync(join(required('GATE'), name), '');
const ARTICLE = join(WORKSPACE, 'notes.tech-article.md');
const article = () => (existsSync(ARTICLE) ? readFileSync(ARTICLE, 'utf8') : '');

/** The processes of this test whose command line matches. */
function processes(pattern) {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const isOurs = readFileSync(`/proc/${pid}/environ`, 'utf8').includes(required('DATA'));
      return isOurs && pattern.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' '));
    } catch {
      return false; // it has ended
    }
  });
}

await withPage(async (page) => {
  const vscode = new Workbench(page);
  const desk = page.frameLocator('iframe.webview.ready').frameLocator('iframe#active-frame');
  const title = (words) => vscode.see(desk.locator('h1', { hasText: words }));
  const named = (name) => desk.getByRole('button', { name, exact: true });
  const answers = (count) => desk.locator('.round[data-newest=true] .answer[data-state=ended]').nth(count - 1);
  const field = (id) => desk.locator(`#${id}-text`);
  let acts = 0;
  const act = (name, work) => {
    acts += 1;
    return vscode.step(`act ${acts}, ${name}`, work);
  };
  const reload = async () => {
    await page.goto(folderUrl(WORKSPACE));
    const [shown, lens] = [desk.locator('h1', { hasText: 'draft' }), vscode.lens(/Open draft/).first()];
    await vscode.until('the page of the draft', async () => {
      // If the open tabs were not written, the lens of the notes leads to the page.
      const isShown = await shown.waitFor({ timeout: 15_000 }).then(() => true, () => false);
      if (!isShown && (await vscode.tab('notes.md').count()) === 0) await page.goto(notesUrl());
      else if (!isShown && (await lens.isVisible())) await lens.click({ timeout: 3000 }).catch(() => undefined);
      return isShown;
    });
  };

  await page.goto(folderUrl(WORKSPACE));
  await vscode.open('notes.md');
  await vscode.see(vscode.status(/^\s*WriteIt$/)); // the server runs
  await vscode.see(vscode.lens(/Start.* and generate/));
  await picture(page, 'start', [352, 36, 660, 430]);
  await vscode.openView();
  await vscode.see(page.getByText('No runs yet'));
  await picture(page, 'server', [0, 36, 350, 395]);
  await page.keyboard.press('Control+Shift+E');
  await act('start and generate', async () => {
    await vscode.lens(/Start.* and generate/).first().click();
    await title('angles');
    await vscode.see(desk.locator('.answer', { hasText: 'The river that decides' }));
  });
  await vscode.step('the notes keep the focus while answers stream', async () => {
    await vscode.see(desk.locator('.answer[data-state=streaming]').nth(1));
    await page.keyboard.type('x');
    await vscode.see(vscode.articleLines(/^x---/));
    await vscode.press('Control+z');
    release('angles');
    await vscode.see(answers(2));
  });
  await vscode.step('the lens of the notes says that they have ended', async () => {
    await vscode.see(vscode.lens(/2 answers to choose from/));
    await picture(page, 'answers');
  });
  await vscode.palette('View: Close Primary Side Bar');
  await desk.locator('h1').first().click();
  await act('regenerate with feedback', async () => {
    await page.keyboard.press('f');
    await page.keyboard.type('Nothing about mills.');
    await page.keyboard.press('Control+Enter');
    await vscode.see(desk.getByText('Earlier answers'));
    await vscode.see(answers(2));
  });
  await act('choose an item and continue', async () => {
    await desk.getByRole('button', { name: /^Choose This One/ }).first().click();
    await title('outline');
    await vscode.see(answers(1));
  });
  await vscode.step('the page that follows an act has the focus', () => focus(vscode, desk));
  await act('choose and continue by key', async () => {
    await page.keyboard.press('1');
    await page.keyboard.press('Control+Enter');
    await title('draft');
    await vscode.see(answers(4));
  });
  await vscode.step('pictures of four answers', () => pictures(page, vscode, desk));
  await vscode.step('nothing serious is wrong with access to the page', () => audit(desk));
  await act('add a passage to the merge', async () => {
    await page.keyboard.press('1');
    await page.keyboard.press('Shift+ArrowDown');
    await page.keyboard.press('Shift+ArrowDown');
    await page.keyboard.press('m');
    await vscode.until('the passage', async () => (await field('merge').inputValue()).startsWith('# The river'));
  });
  await act('add a passage of another answer', async () => {
    await page.keyboard.press('3');
    await page.keyboard.press('Shift+ArrowDown');
    await page.keyboard.press('m');
    await vscode.until('the passage', async () => (await field('merge').inputValue()).endsWith('# Seven wheels'));
  });

  const types = async (words) => {
    await field('merge').click();
    await page.keyboard.press('Control+End');
    await page.keyboard.type(words);
  };
  const keeps = (words) =>
    vscode.until(`${words} in the merge`, async () => (await field('merge').inputValue()).endsWith(words));
  // The whole words: "Not saved yet" has them, too.
  const saved = () => vscode.see(desk.locator('#merge .status', { hasText: /^Saved$/ }));
  const kill = (pattern) => {
    for (const pid of processes(pattern)) process.kill(Number(pid), 'SIGKILL');
  };
  await vscode.step('words survive a reload before the server has them', async () => {
    kill(/writeit serve/);
    await types(' One.');
    await reload();
    await keeps(' One.');
    await saved();
  });
  await vscode.step('words that are typed while the server is dead are saved when it is back', async () => {
    kill(/writeit serve/);
    await types(' Two.');
    await saved();
  });
  await vscode.step('words survive a killed extension host that has just got them', async () => {
    await types(' Three.');
    kill(/--type=extensionHost/);
    await reload();
    await keeps(' Three.');
  });
  await act('use the merge and continue', async () => {
    await field('merge').click();
    await page.keyboard.press('Control+Enter');
    await title('polish');
    await vscode.see(answers(1));
  });
  await act('choose and apply', async () => {
    await named('Choose and Apply').click();
    await vscode.until('the article', () => article().includes('It is older than the town'));
    await vscode.see(vscode.lines('Further down stand the mills')); // the first words of a line, which may wrap
  });
  await picture(page, 'apply', [725, 36, 670, 420]);
  if (process.env.RENEW_PICTURES) await branch(page, vscode, desk);
  report({ acts, most: Number(required('MOST_ACTS')) });
  if (acts > Number(required('MOST_ACTS'))) throw new Error(`${acts} acts`);
  if ((await vscode.toast(/Pending response|disposed/).count()) > 0) throw new Error('a foreign error is shown');
});

/** A branch in the side bar, and how it differs: only for the picture. */
async function branch(page, vscode, desk) {
  await vscode.openView();
  await vscode.expand(/^Notes on rivers/, /^draft/);
  await vscode.inline(/^draft/, titleOf('line.run.branch'));
  await desk.locator('h1', { hasText: 'draft' }).click();
  await page.keyboard.press('3');
  await page.keyboard.press('c');
  await vscode.menu(/^Branch at draft/, titleOf('line.run.diffParent'));
  await vscode.see(vscode.diffLines('Seven wheels'));
  await vscode.palette('Notifications: Clear All Notifications');
  await picture(page, 'vscode-branches');
}

/** Wait until the page has the focus, and so gets the keys. */
async function focus(vscode, desk) {
  await vscode.until('the focus in the page', () => desk.locator('body').evaluate(() => document.hasFocus()));
}

/** Pictures of the page as it is: three themes, narrow, and with a zoom of 200 %. */
async function pictures(page, vscode, desk) {
  const maximize = async () => {
    await vscode.palette('View: Toggle Maximize Editor Group');
    await focus(vscode, desk); // which would close a palette
  };
  await maximize();
  for (const [theme, kind] of [
    ['Dark Modern', 'vs-dark'],
    ['Dark High Contrast', 'hc-black'],
    ['Light High Contrast', 'hc-light'],
    ['Light Modern', 'vs'],
  ]) {
    await vscode.theme(theme);
    await vscode.see(page.locator(`.monaco-workbench.${kind}`));
    await screenshot(page, `four answers, ${theme}`);
  }
  await picture(page, 'vscode-page');
  const columns = () =>
    desk.locator('.round[data-newest=true] .grid').evaluate((grid) => getComputedStyle(grid).gridTemplateColumns.split(' ').filter((width) => width !== '0px').length);
  const before = page.viewportSize();
  for (const [name, size] of [
    ['narrow', { width: 480, height: 860 }],
    ['200 percent', { width: before.width / 2, height: before.height / 2 }],
  ]) {
    await page.setViewportSize(size);
    await vscode.until(`one column, ${name}`, async () => (await columns()) === 1);
    await screenshot(page, `four answers, ${name}`);
    if (name === 'narrow') await picture(page, 'choose', [56, 70, 419, 755]);
  }
  await page.setViewportSize(before);
  await vscode.until('columns', async () => (await columns()) > 1);
  await maximize();
  await desk.locator('h1').first().click();
}

/** Run axe-core in the page. Its policy lets no script in; the browser's debugger may. */
async function audit(desk) {
  const main = await desk.locator('main').elementHandle();
  const frame = await main.ownerFrame();
  await frame.evaluate(readFileSync(required('AXE'), 'utf8'));
  const { violations } = await frame.evaluate('axe.run(document)');
  const found = violations.map(({ id, impact, nodes }) => `${id} (${impact}): ${nodes[0].html.slice(0, 120)}`);
  report({ axe: found });
  if (violations.some(({ impact }) => ['serious', 'critical'].includes(impact))) throw new Error(found.join('; '));
}
