import * as vscode from 'vscode';
import { executeServerCommand, suggest, showInStatusBar } from '../followUps';
import type { App } from '../app';
import type { DocumentConflicts } from './conflicts';
import { folderOf } from '../folders';
import { proposedUri } from './proposedDocument';
import type {
  DocumentPolishParams,
  EditRestoreResult,
  PipelineRun,
  StepApplyParams,
  StepApplyResult,
} from '../protocol';
import { isAutoSaveOn } from '../settings';
import { showDiff, type ShowOptions } from '../pages/showDocument';
import { plural } from '../wording';

/** A text came to its document, or has to wait, or met words of hers. */
export async function handleApplied(
  app: App,
  params: StepApplyParams,
  result: StepApplyResult,
): Promise<StepApplyResult> {
  const { uri, conflicts, pending } = result;
  app.conflicts.clear(({ runId }) => runId === params.runId);
  await app.pendingApplies.refresh(uri);
  if (pending) {
    suggestRetry(app, uri);
    return result;
  }
  if (conflicts.length > 0) {
    await suggestComparison(app, params, result);
  }
  if (result.applied) {
    // The walkthrough ticks itself off by it.
    void vscode.commands.executeCommand('setContext', 'writeit.hasApplied', true);
    await autoSave(app, uri);
    showInStatusBar(`the text is in ${displayPath(uri)}.`);
  }
  return result;
}

/** Say that texts wait for a document, and what can be done about the newest. */
function suggestRetry(app: App, uri: string): void {
  const waiting = app.pendingApplies.all.findLast((one) => one.uri === uri);
  if (waiting !== undefined) {
    suggest(
      'The text waits: you were typing. Nothing is lost.',
      ['Apply Again', () => executeServerCommand('writeit.step.apply', waiting.params)],
      ['Compare', () => compareWithDocument(app, waiting.runId, waiting.step, uri)],
    );
  }
}

async function suggestComparison(
  app: App,
  { runId, step: named }: StepApplyParams,
  { uri, applied: came, conflicts }: StepApplyResult,
): Promise<void> {
  const step = named ?? (await lastCompletedStep(app, runId));
  if (step === undefined) {
    return;
  }
  await app.conflicts.track({ runId, step, uri });
  const stayed = `your own words stayed in ${plural(conflicts.length, 'place')}`;
  suggest(
    came ? `Applied, but ${stayed}.` : `Nothing of the text came in: ${stayed}.`,
    ['Compare', () => compareWithDocument(app, runId, step, uri)],
    ['Keep Mine', () => keepUserText(app, runId)],
  );
}

/** The server says of a text, unasked, that words of hers stayed where it has others. */
export async function showConflicts(
  app: App,
  { runId, step }: { readonly runId: string; readonly step: string },
): Promise<boolean> {
  const { uri } = await app.server.execute('writeit.run.show', { runId });
  if (uri === null) {
    return false;
  }
  const about = { runId, step, uri: vscode.Uri.parse(uri).toString() };
  // She is typing: the keys stay with her document.
  const comparing = compareWithDocument(app, runId, step, about.uri, { focus: false });
  await Promise.all([app.conflicts.track(about), comparing]);
  return true;
}

/** Her words are right, in one place or in all; a comparison beside them has had its time. */
export async function keepUserText(app: App, runId: string, line?: number): Promise<void> {
  const contest = app.conflicts.all.find((one) => one.runId === runId);
  app.conflicts.keepUserText(runId, line);
  if (contest === undefined || app.conflicts.all.some((one) => one.runId === runId)) {
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

export function conflictSummary({ hunks: places }: DocumentConflicts): string {
  return `your own words stayed in ${plural(places.length, 'place')}`;
}

export function displayPath(uri: string): string {
  return vscode.workspace.asRelativePath(vscode.Uri.parse(uri));
}

export async function handleRestored(
  app: App,
  runId: string,
  result: EditRestoreResult,
): Promise<EditRestoreResult> {
  app.conflicts.clear((contest) => contest.runId === runId);
  await app.pendingApplies.refresh(result.uri);
  if (result.applied) {
    await autoSave(app, result.uri);
  }
  return result;
}

export async function handlePolished(
  app: App,
  { uri, apply }: DocumentPolishParams,
  run: PipelineRun,
): Promise<PipelineRun> {
  if (apply === true && run.isDone) {
    await app.pendingApplies.refresh(uri);
    await autoSave(app, uri);
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
  const name = step ?? (await lastCompletedStep(app, runId));
  if (name === undefined) {
    return;
  }
  const title = `${displayPath(uri)}, with ${name} ↔ as it is`;
  await showDiff(proposedUri(runId, name, uri), vscode.Uri.parse(uri), title, options);
}

async function lastCompletedStep(app: App, runId: string): Promise<string | undefined> {
  const { steps } = await app.server.execute('writeit.run.show', { runId });
  return Object.values(steps).findLast(({ can }) => can.apply)?.stepName;
}

/** Save an article whose text came in, if she wants that; never one that was not touched. */
async function autoSave(app: App, uri: string): Promise<void> {
  const at = vscode.Uri.parse(uri);
  const preference = async (): Promise<boolean> =>
    (await app.server.execute('writeit.preferences.get', { folder: folderOf(at) })).autoSaveEnabled;
  const document = vscode.workspace.textDocuments.find(
    (one) => one.uri.toString() === at.toString(),
  );
  if (document?.isDirty && !document.isUntitled && (await isAutoSaveOn(at, preference))) {
    await document.save();
  }
}
