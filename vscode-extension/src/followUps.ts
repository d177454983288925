import * as vscode from 'vscode';
import type { CommandName, Commands, PipelineRun, RunExportResult, StepState } from './protocol';
import { showDocument } from './pages/showDocument';
import { viewUri } from './pages/uris';
import { plural } from './wording';

type FollowUp = readonly [title: string, then: () => Thenable<unknown>];

/** A server command by its own id, as a click on a lens would run it. */
export function executeServerCommand<C extends CommandName>(
  command: C,
  params: Commands[C]['params'],
): Thenable<unknown> {
  return vscode.commands.executeCommand(command, params);
}

/** Say something with what can be done next. Not awaited: the writer may leave it standing. */
export function suggest(message: string, ...choices: readonly FollowUp[]): void {
  const titles = choices.map(([title]) => title);
  void vscode.window.showInformationMessage(`WriteIt: ${message}`, ...titles).then((chosen) => {
    return choices.find(([title]) => title === chosen)?.[1]();
  });
}

export async function showStartedRun(run: PipelineRun): Promise<PipelineRun> {
  await showDocument(viewUri('run', run.pipelineRunId), { focus: false });
  suggestNextStep(run, 'The run is ready; nothing was sent yet.');
  return run;
}

export function reportFailures(step: StepState): StepState {
  const failed = step.failures;
  if (failed.length > 0) {
    const which = failed.map(({ model, message }) => `${model}: ${message}`).join(' ');
    const count = failed.length === 1 ? 'One answer' : `${failed.length} answers`;
    void vscode.window.showWarningMessage(`WriteIt: ${count} did not come. ${which}`);
  }
  return step;
}

/** A step was completed: what comes next is one click away. */
export function suggestAfterChoice(run: PipelineRun): PipelineRun {
  if (run.isDone) {
    const { pipelineRunId: runId } = run;
    suggest('The run is finished.', [
      'Apply the Text',
      () => executeServerCommand('writeit.step.apply', { runId }),
    ]);
  } else {
    suggestNextStep(run, 'Chosen.');
  }
  return run;
}

function suggestNextStep(run: PipelineRun, message: string): void {
  const { pipelineRunId: runId, currentStep: step } = run;
  if (run.steps[step]?.can.run === true) {
    suggest(
      message,
      [`Run ${step}`, () => executeServerCommand('writeit.step.run', { runId, step })],
      ['Preview the Prompt', () => showDocument(viewUri('prompt', runId, step))],
    );
  }
}

/** Said in passing: nothing to do about it. */
export function showInStatusBar(message: string): void {
  vscode.window.setStatusBarMessage(`WriteIt: ${message}`, 8000);
}

/** A passage joined the merge, which is mostly off screen. */
export function reportMerge({ passages }: StepState): void {
  showInStatusBar(`${plural(passages.length, 'passage')} in the merge now.`);
}

export async function showBranch(run: PipelineRun): Promise<PipelineRun> {
  const step = run.branchPoint ?? run.currentStep;
  await showDocument(viewUri('step', run.pipelineRunId, step), { focus: false });
  showInStatusBar(`branched at ${step}; the run before is untouched.`);
  return run;
}

export async function showExport(result: RunExportResult): Promise<RunExportResult> {
  if (result.uri === null) {
    await vscode.window.showTextDocument(
      await vscode.workspace.openTextDocument({ content: result.content }),
    );
  } else {
    await showDocument(vscode.Uri.parse(result.uri));
  }
  return result;
}
