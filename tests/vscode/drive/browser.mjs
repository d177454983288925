// A page of a real Chromium that speaks to nobody but loopback.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { inspect } from 'node:util';

const { chromium } = await import(pathToFileURL(needed('PLAYWRIGHT')).href);

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Milliseconds that anything may take; where little else runs it takes a fraction. */
export const PATIENCE = 90_000;

/** What the test that started this script has to say. */
export function needed(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

/** One line of JSON to the test that started this script. */
export function tell(event) {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

/** Run `work` with a new page; a failure leaves a picture of it behind. */
export async function withPage(work) {
  const browser = await chromium.launch({ executablePath: needed('BROWSER'), args: FLAGS });
  const context = await browser.newContext({ viewport: { width: 1400, height: 860 } });
  await context.route(
    (url) => url.hostname !== '127.0.0.1',
    (route) => route.abort(),
  );
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  try {
    await work(page);
  } catch (error) {
    await picture(page, 'failure');
    tell({ error: inspect(error) });
    process.exitCode = 1;
  } finally {
    await browser.close();
  }
}

/** Keep what the screen shows. */
export async function picture(page, name) {
  const folder = needed('ARTEFACTS');
  mkdirSync(folder, { recursive: true });
  await page.mouse.move(0, 0);
  await page.locator('.monaco-hover:visible').first().waitFor({ state: 'hidden' }); // in the way
  await page.screenshot({ path: join(folder, `${name}.png`), animations: 'disabled' });
}

/** The address of a folder in VS Code, with what the window is told to do. */
export function addressOf(folder, payload = []) {
  const query = new URLSearchParams({ folder });
  if (payload.length) query.set('payload', JSON.stringify(payload));
  return `${needed('ADDRESS')}/?${query}`;
}

/** A file of this machine as VS Code in a browser names it. */
export function remote(path) {
  return `vscode-remote://${new URL(needed('ADDRESS')).host}${path}`;
}
