import { strict as assert } from 'node:assert';
import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as vscode from 'vscode';
import type { Exports } from '../src/app';
import type { CommandName, Commands, PipelineRun } from '../src/protocol';

/** The workspace folder, in which the tests create their files. */
export const WORKSPACE = requireEnv('WRITEIT_TEST_WORKSPACE');
export const SERVER = requireEnv('WRITEIT_TEST_SERVER');

function requireEnv(name: string): string {
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

/** Collect the tests of one file. */
export function group(
  name: string,
  define: (test: (name: string, run: () => Promise<void> | void) => void) => void,
): void {
  define((title, run) => {
    tests.push({ group: name, name: title, run });
  });
}

/** The extension, once its server runs. */
export async function activateExtension(): Promise<Exports> {
  const extension = vscode.extensions.getExtension<Exports>('writeit.writeit');
  assert.ok(extension, 'the extension is not installed');
  const app = await extension.activate();
  const settings = vscode.workspace.getConfiguration('writeit');
  await settings.update('server.path', SERVER, vscode.ConfigurationTarget.Global);
  // Tests read pages as text; those of the other pages are in `tests/vscode/test_desk.py`.
  await settings.update('view', 'markdown', vscode.ConfigurationTarget.Global);
  await app.start();
  await waitFor('the server to run', () => app.server.state === 'running');
  return app;
}

/** Execute a server command without the extension's flow. */
export async function execute<C extends CommandName>(
  command: C,
  params: Commands[C]['params'],
): Promise<Commands[C]['result']> {
  return (await activateExtension()).server.execute(command, params);
}

/** Run a command as the palette or a click on a lens does. */
export async function run(command: string, ...args: readonly unknown[]): Promise<unknown> {
  return vscode.commands.executeCommand(command, ...args);
}

const TIMEOUT_MS = 40_000;

/** Check a condition until it returns something truthy, and return that. */
export async function waitFor<T>(
  what: string,
  condition: () => T | Promise<T>,
  timeoutMs = TIMEOUT_MS,
): Promise<NonNullable<T>> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const value = await condition();
    if (value) {
      return value;
    }
    assert.ok(Date.now() < end, `timed out waiting for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

export const NOTES = '# Notes on rivers\n\nA river is moving water.\n\nIt ends at a mouth.\n';
let documentCount = 0;

/** A new Markdown file, open in an editor; all other editors are closed. */
export async function openArticle(
  text: string = NOTES,
  stem = 'notes',
): Promise<vscode.TextEditor> {
  documentCount += 1;
  const path = join(WORKSPACE, `${stem}-${documentCount}.md`);
  await writeFile(path, text, 'utf8');
  await run('workbench.action.closeQuickOpen');
  await run('workbench.action.closeAllEditors');
  const document = await vscode.workspace.openTextDocument(path);
  return vscode.window.showTextDocument(document, { preview: false });
}

/** Replace a line of a document, or all of it. */
export async function replaceText(
  editor: vscode.TextEditor,
  text: string,
  line?: number,
): Promise<void> {
  const { document } = editor;
  const all = new vscode.Range(
    new vscode.Position(0, 0),
    document.lineAt(document.lineCount - 1).range.end,
  );
  const range = line === undefined ? all : document.lineAt(line).range;
  await editor.edit((edit) => {
    edit.replace(range, text);
  });
}

/** A model that answers what the test writes, when the test writes it. */
export interface ControlledAnswer {
  readonly model: string;
  readonly write: (text: string) => Promise<void>;
  readonly end: () => Promise<void>;
}

let answerCount = 0;

/** The answer is read from a file that grows; a second file ends it. */
export function controlledAnswer(): ControlledAnswer {
  answerCount += 1;
  const path = join(WORKSPACE, `.dictation-${answerCount}`);
  return {
    model: `openai/dictated-${encodeURIComponent(path).replaceAll('%', '+')}`,
    write: (text) => appendFile(path, text, 'utf8'),
    end: () => writeFile(`${path}.end`, ''),
  };
}

const MODEL = 'openai/say-A+20first+20answer.';

/** A run of a document in which nothing was generated yet. */
export async function startRun(
  editor: vscode.TextEditor,
  params: object = {},
): Promise<PipelineRun> {
  return execute('writeit.run.start', {
    pipeline: 'tech-article',
    uri: editor.document.uri.toString(),
    models: { angles: [MODEL], outline: [MODEL], draft: [MODEL], polish: [MODEL] },
    ...params,
  });
}

/** The id of a run whose first step has two answers. */
export async function runWithTwoAnswers(): Promise<string> {
  const models = { angles: ['openai/say-Rivers+20run.', 'openai/say-Water+20moves.'] };
  const { pipelineRunId: runId } = await startRun(await openArticle(), { models });
  await execute('writeit.step.run', { runId });
  return runId;
}

/** An answer of the first step, as what commands of the extension are invoked on. */
export async function firstStepAnswer(runId: string, index: number): Promise<object> {
  const { steps } = await execute('writeit.run.show', { runId });
  const answer = steps['angles']?.aiResponses[index];
  assert.ok(answer, `there is no answer ${index}`);
  return { runId, step: 'angles', responseId: answer.responseId };
}

/** Generate all steps and choose the first answer of each. */
export async function completeRun(runId: string): Promise<PipelineRun> {
  for (;;) {
    await execute('writeit.step.run', { runId });
    const run = await execute('writeit.step.select', { runId, response: 0 });
    if (run.status === 'COMPLETED') {
      return run;
    }
  }
}

/** Parameters that rewrite one line of a document, and apply the answer. */
export function polishParams({ document }: vscode.TextEditor, line: number, model: string): object {
  return {
    uri: document.uri.toString(),
    range: {
      start: { line, character: 0 },
      end: { line, character: document.lineAt(line).text.length },
    },
    models: [model],
    apply: true,
  };
}

/** Accept the open quick pick or input box as it is. */
export async function acceptInput(): Promise<void> {
  await run('workbench.action.acceptSelectedQuickOpenItem');
}

/** Run a command and accept its questions until `condition` returns something truthy. */
export async function acceptUntil<T>(
  command: string,
  argument: unknown,
  condition: () => T | Promise<T>,
): Promise<NonNullable<T>> {
  const running = run(command, argument);
  const value = await waitFor(command, async () => {
    await acceptInput();
    return condition();
  });
  await running;
  return value;
}

/** Run a command, accept its questions, and return its result. */
export async function runAccepting<T>(command: string, argument?: unknown): Promise<T> {
  let done: { readonly result: T } | undefined;
  const running = run(command, argument).then((result) => {
    done = { result: result as T };
  });
  const { result } = await waitFor(command, async () => {
    await acceptInput();
    return done;
  });
  await running;
  return result;
}

export function openedDocument(uri: vscode.Uri): vscode.TextDocument | undefined {
  const wanted = uri.toString();
  return vscode.workspace.textDocuments.find((document) => document.uri.toString() === wanted);
}

export function openTabs(): vscode.Tab[] {
  return vscode.window.tabGroups.all.flatMap((group) => group.tabs);
}

/** The diff editor that is open. */
export function openDiff(): vscode.TabInputTextDiff | undefined {
  return openTabs()
    .map(({ input }) => input)
    .find((input) => input instanceof vscode.TabInputTextDiff);
}

export interface Lens {
  readonly line: number;
  readonly command: string;
  readonly argument: unknown;
}

/** The lenses of a document whose command ids begin with a prefix. */
export async function lensesOf(uri: vscode.Uri, prefix: string): Promise<Lens[]> {
  const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>(
    'vscode.executeCodeLensProvider',
    uri,
  );
  return lenses.flatMap(({ range, command }) =>
    command?.command.startsWith(prefix) === true
      ? [
          {
            line: range.start.line,
            command: command.command,
            argument: command.arguments?.[0] as unknown,
          },
        ]
      : [],
  );
}
