import type { AIResponse, PipelineRun, StepState } from './protocol';

/** Whether a command can apply to a step of a run. The server checks again. */
export type StepFilter = (step: StepState, run: PipelineRun) => boolean;
type OfStep = (step: StepState) => boolean;

export const hasAnswers: OfStep = ({ aiResponses }) => aiResponses.length > 0;
export const hasSeveralAnswers: OfStep = ({ aiResponses }) => aiResponses.length > 1;
export const hasText: OfStep = ({ content }) => content !== null && content !== '';
export const isStreaming: OfStep = ({ streaming }) => streaming.length > 0;
/** Whether the step is chosen or skipped: the run can start over from it. */
export const isDone: OfStep = (step) => step.isDone;
/** Whether an answer of the step is incomplete, so that its model can write the rest. */
export const canContinue: OfStep = ({ can }) => can.continue;
/** Whether an answer can be chosen: no later step uses another one yet. */
export const canChoose: OfStep = ({ can }) => can.select;
export const canRegenerate: OfStep = ({ can }) => can.regenerate;
export const isCurrent: StepFilter = ({ stepName }, { currentStep }) => stepName === currentStep;

/** The answer that was chosen, whole or in part. */
export function chosenAnswer(step: StepState): AIResponse | undefined {
  return step.userSelection === null ? undefined : step.aiResponses[step.userSelection];
}

/** Whether an answer ended before its end, and its model may write the rest. */
export function hasRest({ partial, finishReason }: AIResponse): boolean {
  return partial || finishReason === 'length' || finishReason === 'max_tokens';
}
