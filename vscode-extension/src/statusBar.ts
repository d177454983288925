import * as vscode from 'vscode';
import type { App } from './app';
import { conflictSummary, displayPath } from './apply/applyOutcome';
import { isWriteItDocument, currentDocument, type EditorContext } from './editorContext';
import type { ServerState } from './server/server';
import { stepStatusText } from './wording';

const PRIORITY = 90;

/** One item of the status bar: where the run of this document stands, in words. */
export function createStatusBarItem(app: App): vscode.Disposable {
  const item = vscode.window.createStatusBarItem(
    'writeit',
    vscode.StatusBarAlignment.Left,
    PRIORITY,
  );
  item.name = 'WriteIt';
  const draw = (): void => {
    const face = statusBarContent(app);
    item.text = face.text;
    item.tooltip = face.tooltip;
    item.command = face.command;
    item.accessibilityInformation = { label: face.text.replaceAll(/\$\([^)]*\) ?/g, '') };
    item.backgroundColor = face.warns
      ? new vscode.ThemeColor('statusBarItem.warningBackground')
      : undefined;
    if (face.shown) {
      item.show();
    } else {
      item.hide();
    }
  };
  draw();
  return vscode.Disposable.from(
    item,
    app.server.onDidChangeState(draw),
    app.editorContext.onDidChange(draw),
    app.pendingApplies.onDidChange(draw),
    app.conflicts.onDidChange(draw),
    vscode.window.onDidChangeActiveTextEditor(draw),
  );
}

export interface StatusBarContent {
  readonly text: string;
  readonly tooltip: string;
  readonly command: string;
  readonly warns: boolean;
  readonly shown: boolean;
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
  const { state, reason: why } = app.server;
  const document = currentDocument();
  if (state !== 'running') {
    const [text, command] = SERVER_STATES[state];
    return {
      text,
      tooltip: why,
      command,
      warns: state === 'missing' || state === 'failed',
      shown: true,
    };
  }
  const unsettled = applyContent(app);
  if (unsettled !== undefined) {
    return { ...unsettled, command: 'writeit.ui.document.settle', warns: true, shown: true };
  }
  return {
    ...runContent(app.editorContext.current),
    warns: false,
    shown: document !== undefined && isWriteItDocument(document),
  };
}

/** What is to be settled between texts and documents comes before where the run stands. */
function applyContent({
  pendingApplies: pending,
  conflicts: contests,
}: App): Pick<StatusBarContent, 'text' | 'tooltip'> | undefined {
  const [waiting, ...others] = pending.all;
  if (waiting !== undefined) {
    const which = `The text of ${waiting.step} waits for ${displayPath(waiting.uri)}`;
    return {
      text: `$(clock) WriteIt: ${others.length === 0 ? 'a text waits' : `${others.length + 1} texts wait`}`,
      tooltip: `${which}: you were typing when it was to come in. Nothing is lost. Click to put it in its place, or to compare first.`,
    };
  }
  const [contest] = contests.all;
  return (
    contest && {
      text: `$(diff) WriteIt: ${conflictSummary(contest)}`,
      tooltip: `You and the text of ${contest.step} changed the same words of ${displayPath(contest.uri)}, and yours stayed. Click to compare the two, or to say that yours are right.`,
    }
  );
}

function runContent({ run, step }: EditorContext): Omit<StatusBarContent, 'warns' | 'shown'> {
  const command = 'writeit.ui.document.offers';
  if (run === undefined) {
    return { text: '$(edit) WriteIt', tooltip: 'No run yet: start a pipeline.', command };
  }
  const names = Object.keys(run.steps);
  const current = step ?? run.steps[run.currentStep];
  const at = current?.stepName ?? run.currentStep;
  const place = `${at} ${names.indexOf(at) + 1}/${names.length}`;
  const words = run.isDone || run.can.resume || !current ? run.statusText : stepStatusText(current);
  return {
    text: `$(edit) WriteIt: ${place}, ${words}`,
    tooltip: 'What fits here and now',
    command,
  };
}
