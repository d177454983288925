import { strict as assert } from 'node:assert';
import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { Exports } from '../src/app';
import type { CommandName, Commands, PipelineRun } from '../src/protocol';

/** The folder that is open; the tests make their files in it. */
export const WORKSPACE = told('WRITEIT_TEST_WORKSPACE');
export const SERVER = told('WRITEIT_TEST_SERVER');

function told(name: string): string {
  const value = process.env[name];
  assert.ok(value, `${name} is not set`);
  return value;
}

export interface Test {
  readonly group: string;
  readonly name: string;
  readonly run: () => Promise<void> | void;
}

export const tests: Test[] = [];

/** Gather the tests of one file. */
export function group(
  name: string,
  define: (test: (name: string, run: () => Promise<void> | void) => void) => void,
): void {
  define((title, run) => {
    tests.push({ group: name, name: title, run });
  });
}

/** The extension as it runs, once its server answers. */
export async function extension(): Promise<Exports> {
  const found = vscode.extensions.getExtension<Exports>('writeit.writeit');
  assert.ok(found, 'the extension is not there');
  const app = await found.activate();
  await vscode.workspace
    .getConfiguration('writeit')
    .update('server.path', SERVER, vscode.ConfigurationTarget.Global);
  await until('the server to run', () => app.server.state === 'running');
  return app;
}

export async function ask<C extends CommandName>(
  command: C,
  params: Commands[C]['params'],
): Promise<Commands[C]['result']> {
  return (await extension()).server.execute(command, params);
}

/** Run a command as the palette or a click on a lens does. */
export async function run(command: string, ...args: readonly unknown[]): Promise<unknown> {
  return vscode.commands.executeCommand(command, ...args);
}

const PATIENCE_MS = 40_000;

/** Wait for what is wanted, looking again and again. */
export async function until<T>(
  what: string,
  look: () => T | Promise<T>,
  within = PATIENCE_MS,
): Promise<NonNullable<T>> {
  const end = Date.now() + within;
  for (;;) {
    const found = await look();
    if (found) {
      return found;
    }
    assert.ok(Date.now() < end, `waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

const NOTES = '# Notes on rivers\n\nA river is moving water.\n\nIt ends at a mouth.\n';
let documents = 0;

/** A new markdown file, open in an editor. */
export async function article(text: string = NOTES, stem = 'notes'): Promise<vscode.TextEditor> {
  documents += 1;
  const path = join(WORKSPACE, `${stem}-${documents}.md`);
  await writeFile(path, text, 'utf8');
  // Nothing of another test is in the way, even if that failed.
  await run('workbench.action.closeQuickOpen');
  await run('workbench.action.closeAllEditors');
  const document = await vscode.workspace.openTextDocument(path);
  return vscode.window.showTextDocument(document, { preview: false });
}

const MODEL = 'openai/say-A%20first%20answer.';

/** A model that says what a test tells it to, when it is told, and ends when it is told. */
export interface Dictated {
  readonly model: string;
  readonly say: (text: string) => Promise<void>;
  readonly end: () => Promise<void>;
}

let dictations = 0;

/** Its answer stands in a file, which grows with what is said; another ends it. */
export function dictated(): Dictated {
  dictations += 1;
  const path = join(WORKSPACE, `.dictation-${dictations}`);
  return {
    model: `openai/dictated-${encodeURIComponent(path)}`,
    say: (text) => appendFile(path, text, 'utf8'),
    end: () => writeFile(`${path}.end`, ''),
  };
}

/** A run of a document, nothing asked yet. */
export async function newRun(editor: vscode.TextEditor, params: object = {}): Promise<PipelineRun> {
  return ask('writeit.run.start', {
    pipeline: 'tech-article',
    uri: editor.document.uri.toString(),
    models: { angles: [MODEL], outline: [MODEL], draft: [MODEL], polish: [MODEL] },
    ...params,
  });
}

/** Go through all steps, each with its first answer. */
export async function finish(runId: string): Promise<PipelineRun> {
  for (;;) {
    await ask('writeit.step.run', { runId });
    const after = await ask('writeit.step.select', { runId, response: 0 });
    if (after.status === 'COMPLETED') {
      return after;
    }
  }
}

/** Answer the quick pick or input box that is open as it stands. */
export async function accept(): Promise<void> {
  await run('workbench.action.acceptSelectedQuickOpenItem');
}

export function open(uri: vscode.Uri): vscode.TextDocument | undefined {
  const wanted = uri.toString();
  return vscode.workspace.textDocuments.find((document) => document.uri.toString() === wanted);
}

export function tabs(): vscode.Tab[] {
  return vscode.window.tabGroups.all.flatMap((one) => one.tabs);
}

/** What the diff editor that is open compares. */
export function openDiff(): vscode.TabInputTextDiff | undefined {
  return tabs()
    .map(({ input }) => input)
    .find((input) => input instanceof vscode.TabInputTextDiff);
}
