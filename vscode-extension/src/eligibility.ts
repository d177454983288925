import type { PipelineRun, StepState } from './protocol';

/** Whether a command can apply to a step of a run. The server checks again. */
export type StepFilter = (step: StepState, run: PipelineRun) => boolean;

export function hasAnswers(step: StepState): boolean {
  return step.aiResponses.length > 0;
}

export function hasSeveralAnswers(step: StepState): boolean {
  return step.aiResponses.length > 1;
}

/** Whether the step is chosen or skipped: the run can start over from it. */
export function isDone(step: StepState): boolean {
  return step.isDone;
}

export function isCurrent(step: StepState, run: PipelineRun): boolean {
  return step.stepName === run.currentStep;
}

/** Whether an answer of the step is incomplete, so that its model can write the rest. */
export function canContinue({ can }: StepState): boolean {
  return can.continue;
}

/** Whether another answer can be chosen or generated: no later step uses the answer yet. */
export function canChange({ can }: StepState): boolean {
  return can.select;
}
