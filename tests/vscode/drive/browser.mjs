// A page of a real Chromium that connects to loopback only.
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { inspect } from 'node:util';

const { chromium } = await import(pathToFileURL(required('PLAYWRIGHT')).href);

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

/** The longest wait for one thing, in milliseconds; usually it takes a fraction of it. */
export const TIMEOUT_MS = 90_000;

/** An environment variable that the test sets. */
export function required(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set`);
  return value;
}

/** Write an event as a line of JSON for the test. */
export function report(event) {
  process.stdout.write(`${JSON.stringify(event)}\n`);
}

/** Run `work` with a new page; a failure leaves a screenshot. */
export async function withPage(work) {
  const browser = await chromium.launch({ executablePath: required('BROWSER'), args: FLAGS });
  const context = await browser.newContext({ viewport: { width: 1400, height: 860 } });
  await context.route(
    (url) => url.hostname !== '127.0.0.1',
    (route) => route.abort(),
  );
  const page = await context.newPage();
  page.setDefaultTimeout(TIMEOUT_MS);
  try {
    await work(page);
  } catch (error) {
    await screenshot(page, 'failure');
    report({ error: inspect(error) });
    process.exitCode = 1;
  } finally {
    await browser.close();
  }
}

/** Save a screenshot of the window, or of a part of it. */
export async function screenshot(page, name, folder = required('ARTEFACTS'), part = undefined) {
  mkdirSync(folder, { recursive: true });
  await page.mouse.move(0, 0);
  await page.locator('.monaco-hover:visible').first().waitFor({ state: 'hidden' }); // it would hide text
  const [x, y, width, height] = part ?? [];
  const clip = part && { x, y, width, height };
  await page.screenshot({ path: join(folder, `${name}.png`), animations: 'disabled', clip });
}

/** Renew a picture of the documentation, if that is wanted. */
export async function picture(page, name, part) {
  const folder = join(required('EXTENSION'), name.startsWith('vscode') ? '../docs/images' : 'media');
  if (process.env.RENEW_PICTURES) await screenshot(page, name, folder, part);
}

/** The URL that opens a folder in VS Code, with a payload for the window. */
export function folderUrl(folder, payload = []) {
  const query = new URLSearchParams({ folder });
  if (payload.length) query.set('payload', JSON.stringify(payload));
  return `${required('ADDRESS')}/?${query}`;
}

/**
 * The URL that opens the workspace with its notes: a browser may not have written the open tabs
 * of a window that is loaded again.
 */
export function notesUrl() {
  const workspace = required('WORKSPACE');
  return folderUrl(workspace, [['openFile', remoteUri(`${workspace}/notes.md`)]]);
}

/** The URI of a file of this machine in VS Code's remote scheme. */
export function remoteUri(path) {
  return `vscode-remote://${new URL(required('ADDRESS')).host}${path}`;
}

/** Whether a server of this test runs; each test has a HOME of its own. */
export function serverRuns() {
  const home = `HOME=${required('SERVER_HOME')}`;
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
