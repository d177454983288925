import * as vscode from 'vscode';
import type { CommandName, Commands, PipelineRun, RunExportResult, StepState } from './protocol';
import { show } from './show';
import { viewUri } from './uris';
import { count } from './words';

type Choice = readonly [title: string, then: () => Thenable<unknown>];

/** A server command by its own id, as a click on a lens would run it. */
export function again<C extends CommandName>(
  command: C,
  params: Commands[C]['params'],
): Thenable<unknown> {
  return vscode.commands.executeCommand(command, params);
}

/** Say something with what can be done next. Not awaited: the writer may leave it standing. */
export function offer(message: string, ...choices: readonly Choice[]): void {
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
export function say(message: string): void {
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
