// What a user does and sees in VS Code: keys, clicks and text.
import { report, screenshot, TIMEOUT_MS } from './browser.mjs';
import { titleOf } from './wording.mjs';

export class Workbench {
  #count = 0;

  constructor(page) {
    this.page = page;
  }

  /** Run one step of a story, report its name, and save a screenshot of its end. */
  async step(name, work) {
    const start = Date.now();
    try {
      await work();
    } catch (error) {
      throw new Error(`in the step "${name}"`, { cause: error });
    }
    const number = String(++this.#count).padStart(2, '0');
    await screenshot(this.page, `${number} ${name}`);
    report({ step: name, seconds: (Date.now() - start) / 1000 });
  }

  // --- keys and the palette ---------------------------------------------------------

  async press(...keys) {
    for (const key of keys) await this.page.keyboard.press(key);
  }

  /** The palette, quick pick or input box that is open. */
  get box() {
    return this.page.locator('.quick-input-widget:visible');
  }

  rows(words) {
    return this.box.locator('.quick-input-list .monaco-list-row', { hasText: words });
  }

  /** Run a command of the palette by its whole title; what takes the focus closes the palette. */
  async palette(title) {
    const patience = { timeout: 10_000 };
    const done = [() => true, () => false];
    const input = this.box.locator('input').first();
    await this.until(`the palette with ${title}`, async () => {
      // A palette that is open does not list what was enabled since.
      if (await this.box.isVisible()) await input.press('Escape', patience).catch(() => undefined);
      await this.press('F1');
      const isFilled = await input.fill(`>${title}`, patience).then(...done);
      const row = this.rows(new RegExp(`^${escaped(title)}`)).first();
      return isFilled && row.click(patience).then(...done);
    });
  }

  /** Run a command of the extension by its id without `writeit.ui.`. */
  async command(id) {
    await this.palette(`WriteIt: ${titleOf(id)}`);
  }

  /** Wait until the palette has some of the extension's commands and lacks others. */
  async inPalette({ has = [], lacks = [] }) {
    const rows = (id) => this.rows(new RegExp(`^WriteIt: ${escaped(titleOf(id))}`));
    const type = (id) => this.box.locator('input').first().fill(`>WriteIt: ${titleOf(id)}`);
    await this.until(`a palette with ${has} and without ${lacks}`, async () => {
      await this.press('F1');
      let matches = true;
      for (const id of [...has, ...lacks]) {
        // Another command first: the list shows its rows until it has filtered again.
        await type('server.log');
        await this.see(rows('server.log'));
        await type(id);
        await this.gone(rows('server.log'));
        matches &&= (await rows(id).count()) > 0 === has.includes(id);
      }
      await this.press('Escape');
      await this.gone(this.box);
      return matches;
    });
  }

  /** Wait for a quick pick whose title contains `question`, and pick a row. */
  async pick(question, words) {
    await this.waitForQuestion(question);
    await this.rows(words).first().click();
  }

  /** Wait until the box shows a text as its title, prompt or placeholder. */
  async waitForQuestion(question) {
    const shown = this.box.filter({ hasText: question });
    const hinted = this.box.filter({ has: this.page.getByPlaceholder(question) });
    await shown.or(hinted).first().waitFor();
  }

  /** Close the box; a key that is pressed elsewhere would act on the page behind it. */
  async dismissBox() {
    await this.box.locator('input').first().press('Escape');
    await this.gone(this.box);
  }

  /**
   * Show a button of a walkthrough's step. VS Code leaves a walkthrough for the list of
   * them if its page gets an Escape.
   */
  async showInWalkthrough(title, step, button) {
    const listed = this.page.locator('.getting-started-category:enabled', { hasText: title }).first();
    await this.until(`a button of ${title}`, async () => {
      const isListed = (await listed.count()) > 0; // else its buttons are disabled
      if (!isListed && (await button.count()) > 0) return true;
      await (isListed ? listed : step).click({ timeout: 2_000 }).catch(() => undefined);
      return false;
    });
  }

  /** Wait until the box has a value. */
  async hasValue(words) {
    const input = this.box.locator('input').last();
    await this.until(`${words} in the box`, async () => (await input.inputValue()) === words);
  }

  // --- what is on the screen --------------------------------------------------------

  /** A document that is open, by its tab. */
  tab(name) {
    return this.page.locator('.tabs-container .tab', { hasText: name });
  }

  /** The visible lines of all editors. */
  lines(words) {
    return this.page.locator('.editor-instance .view-line', { hasText: withAnySpace(words) });
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

  /** The visible lines of the first editor. */
  articleLines(words) {
    return this.page.locator('.editor-group-container').first().locator('.view-line', { hasText: withAnySpace(words) });
  }

  diffLines(words) {
    return this.page.locator('.monaco-diff-editor .view-line', { hasText: withAnySpace(words) });
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

  /** Click a button of a notification, which may have moved to the notification list. */
  async click(toast, name) {
    const button = toast.getByRole('button', { name, exact: true });
    const isVisible = await button.waitFor({ timeout: 10_000 }).then(
      () => true,
      () => false,
    );
    if (!isVisible) await this.palette('Notifications: Show Notifications');
    await button.click();
  }

  /** A step of the open walkthrough, completed or not. */
  walkthroughStep(title, { done }) {
    const box = this.page.getByRole('checkbox', { checked: done });
    return this.page.locator('.getting-started-step', { hasText: title }).filter({ has: box });
  }

  /** A button of the expanded step of the walkthrough. */
  walkthroughButton(name) {
    return this.page.locator('.getting-started-step.expanded').getByRole('button', { name });
  }

  /** Fill the box. */
  async type(words) {
    await this.box.locator('input').last().fill(words);
  }

  async theme(name) {
    await this.palette('Preferences: Color Theme');
    await this.waitForQuestion('Select Color Theme');
    await this.box.locator('input').first().fill(name);
    await this.rows(new RegExp(`^${name}`)).first().click();
    await this.gone(this.box);
  }

  // --- the side bar -----------------------------------------------------------------

  async openView() {
    await this.page.locator('.activitybar .action-label[aria-label^="WriteIt"]').click();
    await this.see(this.pane('Runs'));
  }

  /** Collapse the views below the runs. */
  async collapseOtherViews() {
    for (const name of ['Pipelines', 'Styles', 'Models']) await this.collapse(name);
  }

  pane(name) {
    return this.page.locator('.sidebar .pane-header', { hasText: name });
  }

  async collapse(name) {
    if ((await this.pane(name).getAttribute('aria-expanded')) === 'true') await this.pane(name).click();
  }

  /** Expand nodes of a tree, one after the other. */
  async expand(...nodes) {
    for (const words of nodes) {
      const row = this.treeRow(words).first();
      await row.waitFor();
      if ((await row.getAttribute('aria-expanded')) === 'false') {
        await row.locator('.monaco-tl-twistie').click();
      }
    }
  }

  /** Click the button that a tree node shows under the mouse. */
  async inline(words, button, { last = false } = {}) {
    const rows = this.treeRow(words);
    const row = last ? rows.last() : rows.first();
    const shown = row.locator(`.action-label[aria-label*="${button}"]`).first();
    let x = 40;
    await this.until(`${button} on ${words}`, async () => {
      // A tree that is redrawn while answers stream forgets the mouse until it moves again.
      await row.hover({ position: { x: x++, y: 10 } });
      // Long enough for a click that has started, which must not be repeated.
      return shown.click({ timeout: 3000 }).then(
        () => true,
        () => false,
      );
    });
  }

  /** Choose from the menu of a tree node. */
  async menu(words, item) {
    await this.treeRow(words).first().click({ button: 'right' });
    // By key: a menu ignores a click while it opens.
    await this.page.locator('.monaco-menu .action-item', { hasText: item }).hover();
    await this.see(this.page.locator('.monaco-menu .action-item.focused', { hasText: item }));
    await this.press('Enter');
    await this.gone(this.page.locator('.monaco-menu'));
  }

  /** Wait for a condition that no element of the page shows. */
  async until(what, condition, timeout = TIMEOUT_MS) {
    const end = Date.now() + timeout;
    while (!(await condition())) {
      if (Date.now() > end) throw new Error(`timed out waiting for ${what}`);
      await this.page.waitForTimeout(20);
    }
  }
}

/** Editors show spaces as non-breaking spaces, which a pattern must allow. */
function withAnySpace(words) {
  return words instanceof RegExp ? new RegExp(words.source.replaceAll(' ', '\\s'), words.flags) : words;
}

export function escaped(text) {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
