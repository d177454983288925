import * as vscode from 'vscode';
import { l10n } from 'vscode';
import type { App } from '../app';
import { folderOf } from '../folders';
import { executeServerCommand, showInStatusBar, suggest } from '../followUps';
import { showDiff, showDocument, type ShowOptions } from '../pages/showDocument';
import type {
  DocumentPolishParams,
  EditRestoreResult,
  PipelineRun,
  StepApplyParams,
  StepApplyResult,
} from '../protocol';
import { isAutoSaveOn } from '../settings';
import { plural } from '../wording';
import type { DocumentConflicts } from './conflicts';
import { proposedUri } from './proposedDocuments';
import { wasRefused } from './refusedEdits';

/** Report the result of an apply: applied, pending or in conflict. Saves what was applied. */
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
    // Completes a step of the walkthrough.
    void vscode.commands.executeCommand('setContext', 'writeit.hasApplied', true);
    await showIfHidden(vscode.Uri.parse(uri));
    if (await autoSave(app, uri)) {
      showInStatusBar(l10n.t('Article written to {0}.', displayPath(uri)));
    }
  }
  return result;
}

/** Show a document; the focus stays where it is if the user sees the document already. */
async function showIfHidden(uri: vscode.Uri): Promise<void> {
  const visible = vscode.window.visibleTextEditors.map(({ document }) => document.uri.toString());
  if (!visible.includes(uri.toString())) {
    await showDocument(uri);
  }
}

function suggestRetry(app: App, uri: string): void {
  const pending = app.pendingApplies.all.findLast((candidate) => candidate.uri === uri);
  if (pending !== undefined && !wasRefused(uri)) {
    suggest(
      l10n.t('The new text is ready. You were typing, so it was not inserted.'),
      [l10n.t('Apply Now'), () => executeServerCommand('writeit.step.apply', pending.params)],
      [l10n.t('Compare'), () => compareWithDocument(app, pending.runId, pending.step, uri)],
    );
  }
}

async function suggestComparison(
  app: App,
  { runId, step: namedStep }: StepApplyParams,
  { uri, applied, conflicts }: StepApplyResult,
): Promise<void> {
  const step = namedStep ?? (await lastCompletedStep(app, runId));
  if (step === undefined) {
    return;
  }
  await app.conflicts.track({ runId, step, uri });
  const passages = plural(conflicts.length, 'passage');
  suggest(
    applied
      ? l10n.t('Applied, except for {0} that you changed too. Your version was kept.', passages)
      : l10n.t('Not applied: you changed the same text ({0}). Your version was kept.', passages),
    [l10n.t('Compare'), () => compareWithDocument(app, runId, step, uri)],
    [l10n.t('Keep My Version'), () => keepUserText(app, runId)],
  );
}

/** Show conflicts that the server reports by itself. False if the run has no document. */
export async function showConflicts(
  app: App,
  { runId, step }: { readonly runId: string; readonly step: string },
): Promise<boolean> {
  const { uri } = await app.runStates.run(runId);
  if (uri === null) {
    return false;
  }
  const applied = { runId, step, uri: vscode.Uri.parse(uri).toString() };
  // The user is typing: the focus stays in the document.
  const comparing = compareWithDocument(app, runId, step, applied.uri, { focus: false });
  await Promise.all([app.conflicts.track(applied), comparing]);
  return true;
}

/** Resolve one conflict, or all of a run, in favor of the user; then close the comparison. */
export async function keepUserText(app: App, runId: string, line?: number): Promise<void> {
  const conflicts = app.conflicts.all.find((candidate) => candidate.runId === runId);
  app.conflicts.keepUserText(runId, line);
  if (conflicts === undefined || app.conflicts.all.some((rest) => rest.runId === runId)) {
    return;
  }
  const proposed = proposedUri(runId, conflicts.step, conflicts.uri).toString();
  const { activeTabGroup, all } = vscode.window.tabGroups;
  const isComparison = ({ input }: vscode.Tab): boolean =>
    input instanceof vscode.TabInputTextDiff && input.original.toString() === proposed;
  const obsolete = all
    .flatMap(({ tabs }) => tabs)
    .filter((tab) => tab !== activeTabGroup.activeTab && isComparison(tab));
  await vscode.window.tabGroups.close(obsolete, true);
}

export function conflictSummary({ hunks }: DocumentConflicts): string {
  return l10n.t('{0}, your version was kept', plural(hunks.length, 'conflict'));
}

/** A document's path as the user knows it. */
export function displayPath(uri: string): string {
  return vscode.workspace.asRelativePath(vscode.Uri.parse(uri));
}

export async function handleRestored(
  app: App,
  runId: string,
  result: EditRestoreResult,
): Promise<void> {
  app.conflicts.clear((conflicts) => conflicts.runId === runId);
  await app.pendingApplies.refresh(result.uri);
  if (result.applied) {
    await autoSave(app, result.uri);
  }
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

/** Compare the user's document, which stays editable, with what a step's text makes of it. */
export async function compareWithDocument(
  app: App,
  runId: string,
  namedStep: string | null | undefined,
  uri: string,
  options: ShowOptions = {},
): Promise<void> {
  const step = namedStep ?? (await lastCompletedStep(app, runId));
  if (step === undefined) {
    return;
  }
  const title = l10n.t('{0} with {1} ↔ {2}', displayPath(uri), step, displayPath(uri));
  await showDiff(proposedUri(runId, step, uri), vscode.Uri.parse(uri), title, options);
}

async function lastCompletedStep(app: App, runId: string): Promise<string | undefined> {
  const { steps } = await app.runStates.run(runId);
  return Object.values(steps).findLast(({ can }) => can.apply)?.stepName;
}

/**
 * Save a document that was changed, if the user wants that; never one that was not. False if it
 * could not be saved: then VS Code says why.
 */
async function autoSave(app: App, uri: string): Promise<boolean> {
  const target = vscode.Uri.parse(uri);
  const preference = async (): Promise<boolean> => {
    const folder = folderOf(target);
    return (await app.server.execute('writeit.preferences.get', { folder })).autoSaveEnabled;
  };
  const document = vscode.workspace.textDocuments.find(
    (candidate) => candidate.uri.toString() === target.toString(),
  );
  const isSaved = document?.isDirty !== true || document.isUntitled;
  return isSaved || !(await isAutoSaveOn(target, preference)) || document.save();
}
