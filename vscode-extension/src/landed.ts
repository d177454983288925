import * as vscode from 'vscode';
import { again, offer, say } from './after';
import type { App } from './app';
import type { Contest } from './contested';
import { folderOf } from './folders';
import { proposedUri } from './proposed';
import type {
  DocumentPolishParams,
  EditRestoreResult,
  PipelineRun,
  StepApplyParams,
  StepApplyResult,
} from './protocol';
import { savesAfterApply } from './settings';
import { showDiff, type ShowOptions } from './show';
import { count } from './words';

/** A text came to its document, or has to wait, or met words of hers. */
export async function applied(
  app: App,
  params: StepApplyParams,
  result: StepApplyResult,
): Promise<StepApplyResult> {
  const { uri, conflicts, pending } = result;
  app.contests.settle(({ runId }) => runId === params.runId);
  await app.pending.look(uri);
  if (pending) {
    offerSettling(app, uri);
    return result;
  }
  if (conflicts.length > 0) {
    await offerComparing(app, params, result);
  }
  if (result.applied) {
    // The walkthrough ticks itself off by it.
    void vscode.commands.executeCommand('setContext', 'writeit.hasApplied', true);
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

async function offerComparing(
  app: App,
  { runId, step: named }: StepApplyParams,
  { uri, applied: came, conflicts }: StepApplyResult,
): Promise<void> {
  const step = named ?? (await lastText(app, runId));
  if (step === undefined) {
    return;
  }
  await app.contests.begin({ runId, step, uri });
  const stayed = `your own words stayed in ${count(conflicts.length, 'place')}`;
  offer(
    came ? `Applied, but ${stayed}.` : `Nothing of the text came in: ${stayed}.`,
    ['Compare', () => compareWithDocument(app, runId, step, uri)],
    ['Keep Mine', () => keepHers(app, runId)],
  );
}

/** The server says of a text, unasked, that words of hers stayed where it has others. */
export async function contested(
  app: App,
  { runId, step }: { readonly runId: string; readonly step: string },
): Promise<boolean> {
  const { uri } = await app.server.ask('writeit.run.show', { runId });
  if (uri === null) {
    return false;
  }
  const about = { runId, step, uri: vscode.Uri.parse(uri).toString() };
  // She is typing: the keys stay with her document.
  const comparing = compareWithDocument(app, runId, step, about.uri, { focus: false });
  await Promise.all([app.contests.begin(about), comparing]);
  return true;
}

/** Her words are right, in one place or in all; a comparison beside them has had its time. */
export async function keepHers(app: App, runId: string, line?: number): Promise<void> {
  const contest = app.contests.all.find((one) => one.runId === runId);
  app.contests.keep(runId, line);
  if (contest === undefined || app.contests.all.some((one) => one.runId === runId)) {
    return;
  }
  const proposed = proposedUri(runId, contest.step, contest.uri).toString();
  const { activeTabGroup, all } = vscode.window.tabGroups;
  const beside = all.flatMap(({ tabs }) => tabs).filter((tab) => tab !== activeTabGroup.activeTab);
  const over = beside.filter(
    ({ input }) =>
      input instanceof vscode.TabInputTextDiff && input.original.toString() === proposed,
  );
  await vscode.window.tabGroups.close(over, true);
}

export function contestedWords({ places }: Contest): string {
  return `your own words stayed in ${count(places.length, 'place')}`;
}

export function nameOf(uri: string): string {
  return vscode.workspace.asRelativePath(vscode.Uri.parse(uri));
}

export async function restored(
  app: App,
  runId: string,
  result: EditRestoreResult,
): Promise<EditRestoreResult> {
  app.contests.settle((contest) => contest.runId === runId);
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
  options: ShowOptions = {},
): Promise<void> {
  const name = step ?? (await lastText(app, runId));
  if (name === undefined) {
    return;
  }
  const title = `${nameOf(uri)}, with ${name} ↔ as it is`;
  await showDiff(proposedUri(runId, name, uri), vscode.Uri.parse(uri), title, options);
}

async function lastText(app: App, runId: string): Promise<string | undefined> {
  const { steps } = await app.server.ask('writeit.run.show', { runId });
  return Object.values(steps).findLast(({ status }) => status === 'COMPLETED')?.stepName;
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
