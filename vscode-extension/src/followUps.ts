import * as vscode from 'vscode';
import { l10n } from 'vscode';
import { showDocument } from './pages/showDocument';
import { viewUri } from './pages/uris';
import type {
  CommandName,
  Commands,
  DocumentRevertResult,
  PipelineRun,
  Review,
  RunExportResult,
  StepState,
} from './protocol';
import { plural, stepStatusText } from './wording';

type FollowUp = readonly [title: string, run: () => Thenable<unknown>];

/** Run a server command by its own id, as a click on a lens does. */
export function executeServerCommand<C extends CommandName>(
  command: C,
  params: Commands[C]['params'],
): Thenable<unknown> {
  return vscode.commands.executeCommand(command, params);
}

/** Show a message with buttons. Not awaited: the user may leave it open. */
export function suggest(message: string, ...followUps: readonly FollowUp[]): void {
  const titles = followUps.map(([title]) => title);
  void vscode.window.showInformationMessage(`WriteIt: ${message}`, ...titles).then((chosen) => {
    return followUps.find(([title]) => title === chosen)?.[1]();
  });
}

/** Show a message without buttons. */
export function inform(message: string): void {
  suggest(message);
}

/** Show a message in the status bar, for what needs no reaction. */
export function showInStatusBar(message: string): void {
  vscode.window.setStatusBarMessage(`WriteIt: ${message}`, 8000);
}

export async function showStartedRun(run: PipelineRun): Promise<PipelineRun> {
  await showDocument(viewUri('run', run.pipelineRunId), { focus: false });
  suggestNextStep(run, l10n.t('Started. Nothing has been sent. Next: {0}.', run.currentStep));
  return run;
}

/** Say how many remarks a review has made; they are marked in the document. */
export function reportRemarks(run: PipelineRun, review: Review): PipelineRun {
  Object.values(run.steps).forEach(reportFailures);
  const open = review.remarks.filter(({ state }) => state === 'open');
  suggest(l10n.t('{0} on the text.', plural(open.length, 'remark')), [
    l10n.t('Show Remarks'),
    () => showDocument(viewUri('step', run.pipelineRunId, run.currentStep)),
  ]);
  return run;
}

export function reportFailures(step: StepState): StepState {
  const { failures } = step;
  if (failures.length > 0) {
    const shown = failures.filter(({ letter }) => letter === null);
    const reasons = shown.map(({ model, message }) => `${model}: ${message}`).join(' ');
    const count = plural(failures.length, 'answer');
    void vscode.window.showWarningMessage(l10n.t('WriteIt: {0} failed. {1}', count, reasons));
  }
  return step;
}

/** Say what was chosen for a step, and suggest what comes next. */
export function suggestAfterChoice(run: PipelineRun, step: string): PipelineRun {
  const state = run.steps[step];
  const choice = state === undefined ? '' : `${capitalized(stepStatusText(state))}. `;
  if (run.isDone) {
    const { pipelineRunId: runId } = run;
    suggest(l10n.t('{0}All steps are done.', choice), [
      l10n.t('Apply the Text'),
      () => executeServerCommand('writeit.step.apply', { runId }),
    ]);
  } else {
    suggestNextStep(run, l10n.t('{0}Next: {1}.', choice, run.currentStep));
  }
  return run;
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function suggestNextStep(run: PipelineRun, message: string): void {
  const { pipelineRunId: runId, currentStep: step } = run;
  if (run.steps[step]?.can.run === true) {
    suggest(
      message,
      [
        l10n.t('Generate {0}', step),
        () => executeServerCommand('writeit.step.run', { runId, step }),
      ],
      [l10n.t('Preview the Prompt'), () => showDocument(viewUri('prompt', runId, step))],
    );
  }
}

export function reportMerge({ passages }: StepState): void {
  showInStatusBar(l10n.t('Added. The merge has {0}.', plural(passages.length, 'passage')));
}

/** Say why a change was not undone; a success is visible in the document. */
export function reportUndone({ conflicts, pending }: DocumentRevertResult): void {
  if (pending) {
    inform(l10n.t('Nothing was undone: you were typing. Try again.'));
  } else if (conflicts > 0) {
    inform(
      l10n.t(
        'Not undone: you edited this text after it was inserted. Your version was kept; the text before is in the gutter.',
      ),
    );
  }
}

export async function showBranch(run: PipelineRun): Promise<void> {
  const step = run.branchPoint ?? run.currentStep;
  await showDocument(viewUri('step', run.pipelineRunId, step), { focus: false });
  showInStatusBar(l10n.t('Branched at {0}. The original run is unchanged.', step));
}

export async function showExport(result: RunExportResult): Promise<void> {
  if (result.uri === null) {
    await vscode.window.showTextDocument(
      await vscode.workspace.openTextDocument({ content: result.content }),
    );
  } else {
    await showDocument(vscode.Uri.parse(result.uri));
  }
}
