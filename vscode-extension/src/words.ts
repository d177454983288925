import type { AIResponse, PipelineStatus, StepState } from './protocol';

/** States in words: colour and icons only repeat them. */
const RUN: Readonly<Record<PipelineStatus, string>> = {
  INITIALIZING: 'not begun',
  RUNNING: 'under way',
  PAUSED: 'paused',
  COMPLETED: 'finished',
  ERROR: 'stopped by an error',
};

export function runWords(status: PipelineStatus, currentStep: string): string {
  const isPlaced = status !== 'COMPLETED' && status !== 'INITIALIZING';
  return isPlaced ? `${RUN[status]}, at ${currentStep}` : RUN[status];
}

export function stepWords(step: StepState): string {
  if (step.streaming.length > 0) {
    return step.streaming.length === 1
      ? 'the answer is coming'
      : `${step.streaming.length} answers are coming`;
  }
  switch (step.status) {
    case 'PENDING':
      return step.failures.length > 0 ? 'no answer came' : 'not asked yet';
    case 'SKIPPED':
      return 'skipped';
    case 'COMPLETED':
      return chosenWords(step);
    case 'RUNNING':
      return `${count(step.aiResponses.length, 'answer')} to choose from`;
  }
}

function chosenWords(step: StepState): string {
  if (step.userSelection === null) {
    return 'merged';
  }
  const reworded = step.editedContent === null ? '' : ', reworded';
  return `answer ${step.userSelection + 1} chosen${reworded}`;
}

/** A message that says whose it is. */
export function ours(message: string): string {
  return message.includes('WriteIt') ? message : `WriteIt: ${message}`;
}

export function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

export function modelOf({ provider, modelName }: AIResponse): string {
  return `${provider}/${modelName}`;
}

export function costWords(costUsd: number | null): string {
  return costUsd === null ? 'cost unknown' : `$${costUsd.toFixed(4)}`;
}

export function answerWords(answer: AIResponse, chosen: boolean): string {
  const parts = [
    chosen ? 'chosen' : '',
    answer.partial ? 'cut short' : '',
    count(wordCount(answer.processedContent), 'word'),
    costWords(answer.usageStats.costUsd),
    answer.qualityScore === null ? '' : `rated ${answer.qualityScore}`,
  ];
  return parts.filter(Boolean).join(', ');
}

function wordCount(text: string): number {
  return text.split(/\s+/).filter(Boolean).length;
}

/** The beginning of a text, on one line. */
export function sketch(text: string, length = 80): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length <= length ? line : `${line.slice(0, length)}…`;
}
