// What a person does in VS Code, and what they see: words, keys and clicks.
import { PATIENCE, picture, tell } from './browser.mjs';

export class Workbench {
  #count = 0;

  constructor(page) {
    this.page = page;
  }

  /** One step of a story: told by name, with a picture of how it ended. */
  async step(name, work) {
    const began = Date.now();
    try {
      await work();
    } catch (error) {
      throw new Error(`in the step "${name}"`, { cause: error });
    }
    await this.picture(name);
    tell({ step: name, seconds: (Date.now() - began) / 1000 });
  }

  /** A picture, numbered in the order of the story. */
  async picture(name) {
    const number = String(++this.#count).padStart(2, '0');
    await picture(this.page, `${number} ${name}`);
  }

  // --- keys and the palette ---------------------------------------------------------

  async press(...keys) {
    for (const key of keys) await this.page.keyboard.press(key);
  }

  /** The box that asks: palette, quick pick or input. */
  get box() {
    return this.page.locator('.quick-input-widget:visible');
  }

  rows(words) {
    return this.box.locator('.quick-input-list .monaco-list-row', { hasText: words });
  }

  /** Run a command by its whole title, as the palette shows it. */
  async palette(title) {
    await this.press('F1');
    await this.box.locator('input').first().fill(`>${title}`);
    const row = this.rows(new RegExp(`^${escaped(title)}`)).first();
    await row.waitFor();
    await row.click();
  }

  /** Wait until the palette has these commands and lacks those, and close it. */
  async inPalette({ has = [], lacks = [] }) {
    const title = (words) => this.rows(new RegExp(`^WriteIt: ${escaped(words)}`));
    await this.until(`a palette with ${has} and without ${lacks}`, async () => {
      await this.press('F1');
      let isSo = true;
      for (const words of [...has, ...lacks]) {
        // What is shown until the words typed now have their effect.
        await this.box.locator('input').first().fill('>WriteIt: Show Log');
        await this.see(title('Show Log'));
        await this.box.locator('input').first().fill(`>WriteIt: ${words}`);
        await this.gone(title('Show Log'));
        isSo &&= (await title(words).count()) > 0 === has.includes(words);
      }
      await this.press('Escape');
      await this.gone(this.box);
      return isSo;
    });
  }

  /** Wait for a list whose question contains `question`, and pick a row. */
  async pick(question, words) {
    await this.asked(question);
    await this.rows(words).first().click();
  }

  /** Wait until the box shows words as its title, its question or its hint. */
  async asked(question) {
    const shown = this.box.filter({ hasText: question });
    const hinted = this.box.filter({ has: this.page.getByPlaceholder(question) });
    await shown.or(hinted).first().waitFor();
  }

  /** Wait until words stand in the box that asks. */
  async holds(words) {
    const input = this.box.locator('input').last();
    await this.until(`${words} in the box`, async () => (await input.inputValue()) === words);
  }

  // --- what is on the screen --------------------------------------------------------

  /** A document that is open, by its tab. */
  tab(name) {
    return this.page.locator('.tabs-container .tab', { hasText: name });
  }

  /** The visible lines of editors, side by side ones included. */
  lines(words) {
    return this.page.locator('.editor-instance .view-line', { hasText: unbroken(words) });
  }

  lens(words) {
    return this.page.locator('.codelens-decoration a', { hasText: words });
  }

  toast(words) {
    return this.page.locator('.notification-toast, .notifications-center .notification-list-item', { hasText: words });
  }

  status(words) {
    return this.page.locator('.statusbar-item', { hasText: words });
  }

  treeRow(words) {
    return this.page.locator('.sidebar .monaco-list-row, .pane-body .monaco-list-row', { hasText: words });
  }

  async see(locator) {
    await locator.first().waitFor();
  }

  async gone(locator) {
    await locator.first().waitFor({ state: 'hidden' });
  }

  /** Open a file that the explorer shows. */
  async open(name) {
    await this.page.locator('.explorer-folders-view .monaco-list-row', { hasText: name }).dblclick();
    await this.see(this.tab(name));
  }

  /** The lines of the first editor; what is beside it is not it. */
  articleLines(words) {
    return this.page.locator('.editor-group-container').first().locator('.view-line', { hasText: unbroken(words) });
  }

  diffLines(words) {
    return this.page.locator('.monaco-diff-editor .view-line', { hasText: unbroken(words) });
  }

  /** Put the cursor into a line of the article, as a click does. */
  async clickLine(words) {
    await this.articleLines(words).first().click();
  }

  /** Select a whole line of the article, however many lines of the screen it fills. */
  async selectLine(words) {
    await this.articleLines(words).first().click({ clickCount: 3 });
    await this.see(this.status(/selected/));
  }

  async closeTab() {
    await this.palette('View: Close Editor');
  }

  /** Click a button of a notification. One that has gone by itself is in the list of them. */
  async click(toast, name) {
    const button = toast.getByRole('button', { name, exact: true });
    const came = await button.waitFor({ timeout: 10_000 }).then(
      () => true,
      () => false,
    );
    if (!came) await this.palette('Notifications: Show Notifications');
    await button.click();
  }

  /** A step of the walkthrough that is open, ticked off or not yet. */
  guided(title, { done }) {
    const box = this.page.getByRole('checkbox', { checked: done });
    return this.page.locator('.getting-started-step', { hasText: title }).filter({ has: box });
  }

  /** A button of the step of the walkthrough that is unfolded. */
  guideButton(name) {
    return this.page.locator('.getting-started-step.expanded').getByRole('button', { name });
  }

  /** Put words into the box that asks. */
  async type(words) {
    await this.box.locator('input').last().fill(words);
  }

  async theme(name) {
    await this.palette('Preferences: Color Theme');
    await this.asked('Select Color Theme');
    await this.box.locator('input').first().fill(name);
    await this.rows(new RegExp(`^${name}`)).first().click();
    await this.gone(this.box);
  }

  // --- our side bar -----------------------------------------------------------------

  async openView() {
    await this.page.locator('.activitybar .action-label[aria-label^="WriteIt"]').click();
    await this.see(this.pane('Runs'));
  }

  async openSideBar() {
    await this.openView();
    await this.makeRoom();
  }

  /** Fold what is under the runs. */
  async makeRoom() {
    for (const name of ['Pipelines', 'Primers', 'Models']) await this.fold(name);
  }

  pane(name) {
    return this.page.locator('.sidebar .pane-header', { hasText: name });
  }

  async fold(name) {
    if ((await this.pane(name).getAttribute('aria-expanded')) === 'true') await this.pane(name).click();
  }

  /** Open lines of a tree, one after the other, where they are not open yet. */
  async unfold(...lines) {
    for (const words of lines) {
      const row = this.treeRow(words).first();
      await row.waitFor();
      if ((await row.getAttribute('aria-expanded')) === 'false') {
        await row.locator('.monaco-tl-twistie').click();
      }
    }
  }

  /** Click the button that a line of a tree shows under the mouse. */
  async inline(words, button, { last = false } = {}) {
    const rows = this.treeRow(words);
    const row = last ? rows.last() : rows.first();
    const shown = row.locator(`.action-label[aria-label*="${button}"]`).first();
    let x = 40;
    await this.until(`${button} on ${words}`, async () => {
      // A tree that is drawn anew, as it is while answers come, forgets the mouse until
      // it moves again.
      await row.hover({ position: { x: x++, y: 10 } });
      // Enough for a click that has begun, which must not be made twice.
      return shown.click({ timeout: 3000 }).then(
        () => true,
        () => false,
      );
    });
  }

  /** Choose from the menu of a line of a tree. */
  async menu(words, item) {
    await this.treeRow(words).first().click({ button: 'right' });
    // By key: a menu passes over a click in the moment in which it opens.
    await this.page.locator('.monaco-menu .action-item', { hasText: item }).hover();
    await this.see(this.page.locator('.monaco-menu .action-item.focused', { hasText: item }));
    await this.press('Enter');
    await this.gone(this.page.locator('.monaco-menu'));
  }

  /** Wait for something that no element of the page tells. */
  async until(what, condition, within = PATIENCE) {
    const end = Date.now() + within;
    while (!(await condition())) {
      if (Date.now() > end) throw new Error(`never came: ${what}`);
      await this.page.waitForTimeout(20);
    }
  }
}

/** An editor shows its spaces as ones that do not break, which a pattern takes literally. */
function unbroken(words) {
  return words instanceof RegExp ? new RegExp(words.source.replaceAll(' ', '\\s'), words.flags) : words;
}

export function escaped(text) {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
