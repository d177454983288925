import type { PipelineRun, StepState } from './protocol';

/** Whether a command can apply to a step of a run. The server checks again. */
export type StepFilter = (step: StepState, run: PipelineRun) => boolean;

export function hasAnswers(step: StepState): boolean {
  return step.aiResponses.length > 0;
}

export function hasSeveralAnswers(step: StepState): boolean {
  return step.aiResponses.length > 1;
}

/** The indexes of a step's answers, without those that another answer continues. */
export function shownAnswers(step: StepState): readonly number[] {
  const continued = new Set(step.aiResponses.map((answer) => answer.continues));
  return step.aiResponses.flatMap(({ responseId }, index) =>
    continued.has(responseId) && index !== step.userSelection ? [] : [index],
  );
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
