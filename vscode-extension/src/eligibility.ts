import type { PipelineRun, StepState } from './protocol';

/** Which steps of a run a command can be about. The server has the last word. */
export type StepFilter = (step: StepState, run: PipelineRun) => boolean;

export function hasAnswers(step: StepState): boolean {
  return step.aiResponses.length > 0;
}

export function hasSeveralAnswers(step: StepState): boolean {
  return step.aiResponses.length > 1;
}

/** Done with, chosen or skipped: a run can be rewound to it. */
export function isDone(step: StepState): boolean {
  return step.isDone;
}

/** The step the run stands at. */
export function isCurrent(step: StepState, run: PipelineRun): boolean {
  return step.stepName === run.currentStep;
}

/** Whether another answer of it can be chosen, or asked for: nothing builds on it yet. */
export function canChange({ can }: StepState): boolean {
  return can.select;
}
