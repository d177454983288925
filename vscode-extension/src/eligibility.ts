import type { AIResponse, PipelineRun, StepState } from './protocol';

/** Whether a command can apply to a step of a run. The server checks again. */
export type StepFilter = (step: StepState, run: PipelineRun) => boolean;

export function hasAnswers(step: StepState): boolean {
  return step.aiResponses.length > 0;
}

export function hasSeveralAnswers(step: StepState): boolean {
  return step.aiResponses.length > 1;
}

export function isStreaming(step: StepState): boolean {
  return step.streaming.length > 0;
}

/** The answer that was chosen, whole or in part. */
export function chosenAnswer(step: StepState): AIResponse | undefined {
  return step.userSelection === null ? undefined : step.aiResponses[step.userSelection];
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

/** Whether an answer can be chosen: no later step uses another one yet. */
export function canChoose({ can }: StepState): boolean {
  return can.select;
}

export function canRegenerate({ can }: StepState): boolean {
  return can.regenerate;
}
