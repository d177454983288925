// What a person does in VS Code, and what they see: words, keys and clicks.
import { picture, tell } from './browser.mjs';

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
      error.message = `${name}: ${error.message}`;
      throw error;
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

  async type(text) {
    await this.page.keyboard.type(text);
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

  /** Whether the palette offers a command now. */
  async offers(title) {
    await this.press('F1');
    await this.box.locator('input').first().fill(`>${title}`);
    const any = this.box.locator('.quick-input-list .monaco-list-row, .quick-input-message:visible');
    await any.first().waitFor();
    const found = await this.rows(new RegExp(`^${escaped(title)}`)).count();
    await this.press('Escape');
    await this.box.waitFor({ state: 'hidden' });
    return found > 0;
  }

  /** Wait for a list whose question contains `question`, and pick a row. */
  async pick(question, words) {
    await this.asked(question);
    await this.rows(words).first().click();
  }

  /** Type an answer into an input box that asks `question`. */
  async answer(question, text) {
    await this.asked(question);
    const input = this.box.locator('input').first();
    if (text !== undefined) await input.fill(text);
    await this.press('Enter');
  }

  /** Wait until the box shows words as its title, its question or its hint. */
  async asked(question) {
    const shown = this.box.filter({ hasText: question });
    const hinted = this.box.filter({ has: this.page.getByPlaceholder(question) });
    await shown.or(hinted).first().waitFor();
  }

  // --- what is on the screen --------------------------------------------------------

  /** A document that is open, by its tab. */
  tab(name) {
    return this.page.locator('.tabs-container .tab', { hasText: name });
  }

  /** The visible lines of editors, side by side ones included. */
  lines(words) {
    return this.page.locator('.editor-instance .view-line', { hasText: words });
  }

  lens(words) {
    return this.page.locator('.codelens-decoration a', { hasText: words });
  }

  toast(words) {
    return this.page.locator('.notification-toast', { hasText: words });
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

  /** Open a file by its name. */
  async open(name) {
    await this.press('Control+P');
    await this.box.locator('input').first().fill(name);
    await this.rows(name).first().waitFor();
    await this.press('Enter');
    await this.see(this.tab(name));
  }

  /** Put the cursor into a line, as a click does. */
  async clickLine(words) {
    await this.lines(words).first().click();
  }
}

export function escaped(text) {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
