import * as vscode from 'vscode';
import type { App } from './app';
import { conflictSummary, displayPath } from './apply/applyOutcome';
import { currentDocument, isWriteItDocument, type EditorContext } from './editorContext';
import type { ServerState } from './server/server';
import { plural, stepStatusText } from './wording';

const PRIORITY = 90;

/** The status bar item that says what state the current document's run is in. */
export function createStatusBarItem(app: App): vscode.Disposable {
  const item = vscode.window.createStatusBarItem(
    'writeit',
    vscode.StatusBarAlignment.Left,
    PRIORITY,
  );
  item.name = 'WriteIt';
  const update = (): void => {
    const content = statusBarContent(app);
    item.text = content.text;
    item.tooltip = content.tooltip;
    item.command = content.command;
    item.accessibilityInformation = { label: content.text.replaceAll(/\$\([^)]*\) ?/g, '') };
    item.backgroundColor = content.isWarning
      ? new vscode.ThemeColor('statusBarItem.warningBackground')
      : undefined;
    if (content.isVisible) {
      item.show();
    } else {
      item.hide();
    }
  };
  update();
  return vscode.Disposable.from(
    item,
    app.server.onDidChangeState(update),
    app.editorContext.onDidChange(update),
    app.pendingApplies.onDidChange(update),
    app.conflicts.onDidChange(update),
    vscode.window.onDidChangeActiveTextEditor(update),
  );
}

export interface StatusBarContent {
  readonly text: string;
  readonly tooltip: string;
  readonly command: string;
  readonly isWarning: boolean;
  readonly isVisible: boolean;
}

const SERVER_STATES: Readonly<
  Record<Exclude<ServerState, 'running'>, readonly [text: string, command: string]>
> = {
  restricted: ['$(shield) WriteIt: restricted', 'workbench.trust.manage'],
  starting: ['$(sync~spin) WriteIt: starting', 'writeit.ui.server.log'],
  missing: ['$(warning) WriteIt: no server', 'writeit.ui.server.install'],
  failed: ['$(error) WriteIt: stopped', 'writeit.ui.server.restart'],
  stopped: ['$(circle-slash) WriteIt: not running', 'writeit.ui.server.restart'],
};

/** What the status bar shows now. */
export function statusBarContent(app: App): StatusBarContent {
  const { state, reason } = app.server;
  if (state !== 'running') {
    const [text, command] = SERVER_STATES[state];
    const isWarning = state === 'missing' || state === 'failed';
    return { text, tooltip: reason, command, isWarning, isVisible: true };
  }
  const unfinished = applyContent(app);
  if (unfinished !== undefined) {
    const command = 'writeit.ui.document.settle';
    return { ...unfinished, command, isWarning: true, isVisible: true };
  }
  const document = currentDocument();
  return {
    ...runContent(app.editorContext.current),
    isWarning: false,
    isVisible: document !== undefined && isWriteItDocument(document),
  };
}

/** Pending applies and conflicts, which take precedence over the state of the run. */
function applyContent({
  pendingApplies,
  conflicts,
}: App): Pick<StatusBarContent, 'text' | 'tooltip'> | undefined {
  const [pending] = pendingApplies.all;
  if (pending !== undefined) {
    return {
      text: `$(clock) WriteIt: ${plural(pendingApplies.all.length, 'text')} waiting to be applied`,
      tooltip: `The text of ${pending.step} is ready for ${displayPath(pending.uri)}. You were typing, so it was not inserted. Click to apply it or to compare first.`,
    };
  }
  const [conflict] = conflicts.all;
  return (
    conflict && {
      text: `$(diff) WriteIt: ${conflictSummary(conflict)}`,
      tooltip: `You and the text of ${conflict.step} changed the same words in ${displayPath(conflict.uri)}. Your version was kept. Click to compare both or to keep your version.`,
    }
  );
}

function runContent({
  run,
  step,
}: EditorContext): Omit<StatusBarContent, 'isWarning' | 'isVisible'> {
  const command = 'writeit.ui.document.offers';
  const tooltip = 'Click to show actions';
  if (run === undefined) {
    return { text: '$(edit) WriteIt', tooltip: `No run yet. ${tooltip}.`, command };
  }
  const names = Object.keys(run.steps);
  const current = step ?? run.steps[run.currentStep];
  const name = current?.stepName ?? run.currentStep;
  const isRunState = run.isDone || run.can.resume;
  const state = isRunState || !current ? run.statusText : stepStatusText(current);
  const text = `$(edit) WriteIt: ${name} ${names.indexOf(name) + 1}/${names.length}, ${state}`;
  return { text, tooltip, command };
}
