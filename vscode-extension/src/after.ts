import * as vscode from 'vscode';
import type { App } from './app';
import type {
  CommandName,
  Commands,
  DocumentPolishParams,
  EditRestoreResult,
  PipelineRun,
  RunExportResult,
  StepApplyParams,
  StepApplyResult,
  StepState,
} from './protocol';
import { folderOf } from './folders';
import type { Contested } from './pending';
import { proposedUri } from './proposed';
import { savesAfterApply } from './settings';
import { show, showDiff } from './show';
import { viewUri } from './uris';
import { count } from './words';

type Choice = readonly [title: string, then: () => Thenable<unknown>];

/** A server command by its own id, as a click on a lens would run it. */
function again<C extends CommandName>(
  command: C,
  params: Commands[C]['params'],
): Thenable<unknown> {
  return vscode.commands.executeCommand(command, params);
}

/** Say something with what can be done next. Not awaited: the writer may leave it standing. */
function offer(message: string, ...choices: readonly Choice[]): void {
  const titles = choices.map(([title]) => title);
  void vscode.window.showInformationMessage(`WriteIt: ${message}`, ...titles).then((chosen) => {
    return choices.find(([title]) => title === chosen)?.[1]();
  });
}

export async function started(run: PipelineRun): Promise<PipelineRun> {
  await show(viewUri('run', run.pipelineRunId), { focus: false });
  offerNext(run, 'The run is ready; nothing was sent yet.');
  return run;
}

export function answered(step: StepState): StepState {
  const failed = step.failures;
  if (failed.length > 0) {
    const which = failed.map(({ model, message }) => `${model}: ${message}`).join(' ');
    const count = failed.length === 1 ? 'One answer' : `${failed.length} answers`;
    void vscode.window.showWarningMessage(`WriteIt: ${count} did not come. ${which}`);
  }
  return step;
}

/** A step was completed: what comes next is one click away. */
export function decided(run: PipelineRun): PipelineRun {
  if (run.status === 'COMPLETED') {
    const { pipelineRunId: runId } = run;
    offer('The run is finished.', ['Apply the Text', () => again('writeit.step.apply', { runId })]);
  } else {
    offerNext(run, 'Chosen.');
  }
  return run;
}

function offerNext(run: PipelineRun, message: string): void {
  const { pipelineRunId: runId, currentStep: step } = run;
  if (run.steps[step]?.status === 'PENDING') {
    offer(
      message,
      [`Run ${step}`, () => again('writeit.step.run', { runId, step })],
      ['Preview the Prompt', () => show(viewUri('prompt', runId, step))],
    );
  }
}

/** Said in passing: nothing to do about it. */
function say(message: string): void {
  vscode.window.setStatusBarMessage(`WriteIt: ${message}`, 8000);
}

/** A passage joined the merge, which is mostly off screen. */
export function taken({ passages }: StepState): void {
  say(`${count(passages.length, 'passage')} in the merge now.`);
}

export async function branched(run: PipelineRun): Promise<PipelineRun> {
  const step = run.branchPoint ?? run.currentStep;
  await show(viewUri('step', run.pipelineRunId, step), { focus: false });
  say(`branched at ${step}; the run before is untouched.`);
  return run;
}

export async function exported(result: RunExportResult): Promise<RunExportResult> {
  if (result.uri === null) {
    await vscode.window.showTextDocument(
      await vscode.workspace.openTextDocument({ content: result.content }),
    );
  } else {
    await show(vscode.Uri.parse(result.uri));
  }
  return result;
}

export async function applied(
  app: App,
  { runId, step }: StepApplyParams,
  result: StepApplyResult,
): Promise<StepApplyResult> {
  const { uri, conflicts } = result;
  app.pending.settle((contested) => contested.runId === runId);
  await app.pending.look(uri);
  if (result.pending) {
    offerSettling(app, uri);
    return result;
  }
  if (conflicts.length > 0) {
    const contested = { runId, step, uri, places: conflicts.length };
    app.pending.contest(contested);
    offer(`Applied, but ${contestedWords(contested)}.`, [
      'Compare',
      () => compareContested(app, contested),
    ]);
  }
  if (result.applied) {
    await save(app, uri);
    say(`the text is in ${nameOf(uri)}.`);
  }
  return result;
}

/** Say that texts wait for a document, and what can be done about the newest. */
function offerSettling(app: App, uri: string): void {
  const waiting = app.pending.all.findLast((one) => one.uri === uri);
  if (waiting !== undefined) {
    offer(
      'The text waits: you were typing. Nothing is lost.',
      ['Apply Again', () => again('writeit.step.apply', waiting.again)],
      ['Compare', () => compareWithDocument(app, waiting.runId, waiting.step, uri)],
    );
  }
}

export function contestedWords({ places }: Contested): string {
  return `your own words stayed in ${count(places, 'place')}`;
}

/** Looked at, it is settled: she knows where. */
export async function compareContested(app: App, contested: Contested): Promise<void> {
  const { runId, step, uri } = contested;
  await compareWithDocument(app, runId, step, uri);
  app.pending.settle((one) => one.runId === runId);
}

export function nameOf(uri: string): string {
  return vscode.workspace.asRelativePath(vscode.Uri.parse(uri));
}

export async function restored(
  app: App,
  runId: string,
  result: EditRestoreResult,
): Promise<EditRestoreResult> {
  app.pending.settle((contested) => contested.runId === runId);
  await app.pending.look(result.uri);
  if (result.applied) {
    await save(app, result.uri);
  }
  return result;
}

export async function polished(
  app: App,
  { uri, apply }: DocumentPolishParams,
  run: PipelineRun,
): Promise<PipelineRun> {
  if (apply === true && run.status === 'COMPLETED') {
    await app.pending.look(uri);
    await save(app, uri);
  }
  return run;
}

/** Her document, which she can change there, beside what the step's text makes of it. */
export async function compareWithDocument(
  app: App,
  runId: string,
  step: string | null | undefined,
  uri: string,
): Promise<void> {
  const run = await app.server.ask('writeit.run.show', { runId });
  const name = step ?? lastText(run);
  if (name === undefined) {
    return;
  }
  const title = `${nameOf(uri)}, with ${name} ↔ as it is`;
  await showDiff(proposedUri(runId, name, uri), vscode.Uri.parse(uri), title);
}

function lastText(run: PipelineRun): string | undefined {
  return Object.values(run.steps).findLast((step) => step.status === 'COMPLETED')?.stepName;
}

/** Save an article whose text came in, if she wants that; never one that was not touched. */
async function save(app: App, uri: string): Promise<void> {
  const at = vscode.Uri.parse(uri);
  const preference = async (): Promise<boolean> =>
    (await app.server.ask('writeit.preferences.get', { folder: folderOf(at) })).autoSaveEnabled;
  const document = vscode.workspace.textDocuments.find(
    (one) => one.uri.toString() === at.toString(),
  );
  if (document?.isDirty && !document.isUntitled && (await savesAfterApply(at, preference))) {
    await document.save();
  }
}
