import * as vscode from 'vscode';
import { l10n } from 'vscode';
import type { App } from './app';
import { conflictSummary, displayPath } from './apply/applyOutcome';
import { currentUri, isWriteItDocument, type DayLimit, type EditorContext } from './editorContext';
import type { ServerState } from './server/server';
import { costText, isBlind, plural, stepStatusText } from './wording';

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
    vscode.workspace.onDidOpenTextDocument(update),
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
  idle: [l10n.t('$(edit) WriteIt: Start'), 'writeit.ui.server.restart'],
  restricted: [l10n.t('$(shield) WriteIt: restricted'), 'workbench.trust.manage'],
  starting: [l10n.t('$(sync~spin) WriteIt: starting'), 'writeit.ui.server.log'],
  missing: [l10n.t('$(warning) WriteIt: no server'), 'writeit.ui.server.install'],
  failed: [l10n.t('$(error) WriteIt: stopped'), 'writeit.ui.server.restart'],
  stopped: [l10n.t('$(circle-slash) WriteIt: not running'), 'writeit.ui.server.restart'],
};

/** What the status bar shows now. */
export function statusBarContent(app: App): StatusBarContent {
  const { state, reason } = app.server;
  if (state !== 'running') {
    const [text, command] = SERVER_STATES[state];
    const isWarning = state === 'missing' || state === 'failed';
    const isVisible = isWarning || vscode.workspace.textDocuments.some(isWriteItDocument);
    return { text, tooltip: reason, command, isWarning, isVisible };
  }
  const unfinished = applyContent(app);
  if (unfinished !== undefined) {
    const command = 'writeit.ui.document.settle';
    return { ...unfinished, command, isWarning: true, isVisible: true };
  }
  return {
    ...runContent(app.editorContext.current),
    isWarning: false,
    isVisible: currentUri() !== undefined,
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
      text: l10n.t(
        '$(clock) WriteIt: {0} waiting to be applied',
        plural(pendingApplies.all.length, 'text'),
      ),
      tooltip: l10n.t(
        'The text of {0} is ready for {1}. It was not inserted. Click to apply it or to compare first.',
        pending.step,
        displayPath(pending.uri),
      ),
    };
  }
  const [conflict] = conflicts.all;
  return (
    conflict && {
      text: l10n.t('$(diff) WriteIt: {0}', conflictSummary(conflict)),
      tooltip: l10n.t(
        'You and the text of {0} changed the same words in {1}. Your version was kept. Click to compare both or to keep your version.',
        conflict.step,
        displayPath(conflict.uri),
      ),
    }
  );
}

/** As in `today $0.12 of $1.00`. */
function spentToday({ todayUsd, limitUsd }: DayLimit): string {
  return l10n.t('today {0} of {1}', costText(todayUsd), costText(limitUsd));
}

/** Say that notes, pipeline or style have changed; the action to refresh says which. */
function withStaleness(
  status: string,
  actions: EditorContext['actions'],
): { state: string; stale?: string } {
  const refresh = actions?.find(({ command }) => command === 'writeit.run.refresh');
  return refresh === undefined
    ? { state: status }
    : { state: l10n.t('{0}, out of date', status), stale: refresh.title };
}

function runContent({
  run,
  step,
  actions,
  spent,
}: EditorContext): Omit<StatusBarContent, 'isWarning' | 'isVisible'> {
  const command = 'writeit.ui.document.offers';
  const tooltip = l10n.t('Click to show actions');
  if (run === undefined) {
    return { text: '$(edit) WriteIt', tooltip: l10n.t('No run yet. {0}.', tooltip), command };
  }
  const names = Object.keys(run.steps);
  const current = step ?? run.steps[run.currentStep];
  const name = current?.stepName ?? run.currentStep;
  const isRunState = run.isDone || run.can.resume;
  const status = isRunState || !current ? run.statusText : stepStatusText(current);
  const { state, stale } = withStaleness(status, actions);
  const place = l10n.t('{0} {1}/{2}', name, names.indexOf(name) + 1, names.length);
  const cost = isBlind(run) ? [] : [costText(run.costUsd)];
  const today = spent === undefined || isBlind(run) ? [] : [spentToday(spent)];
  const text = l10n.t('$(edit) WriteIt: {0}', [place, state, ...cost, ...today].join(', '));
  return { text, tooltip: stale ?? tooltip, command };
}
