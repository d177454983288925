import type { AIResponse, StepState } from './protocol';

export function stepStatusText(step: StepState): string {
  if (step.streaming.length > 0) {
    return step.streaming.length === 1
      ? 'the answer is coming'
      : `${step.streaming.length} answers are coming`;
  }
  if (step.isDone) {
    return step.can.apply ? choiceText(step) : 'skipped';
  }
  if (step.can.select) {
    return `${plural(step.aiResponses.length, 'answer')} to choose from`;
  }
  return step.failures.length > 0 ? 'no answer came' : 'not asked yet';
}

function choiceText(step: StepState): string {
  if (step.userSelection === null) {
    return 'merged';
  }
  const reworded = step.editedContent === null ? '' : ', reworded';
  return `answer ${step.userSelection + 1} chosen${reworded}`;
}

/** A message that says whose it is. */
export function withPrefix(message: string): string {
  return message.includes('WriteIt') ? message : `WriteIt: ${message}`;
}

export function plural(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}

export function modelId({ provider, modelName }: AIResponse): string {
  return `${provider}/${modelName}`;
}

export function costText(costUsd: number | null): string {
  return costUsd === null ? 'cost unknown' : `$${costUsd.toFixed(4)}`;
}

export function answerSummary(answer: AIResponse, chosen: boolean): string {
  const parts = [
    chosen ? 'chosen' : '',
    answer.partial ? 'cut short' : '',
    plural(wordCount(answer.processedContent), 'word'),
    costText(answer.usageStats.costUsd),
    answer.qualityScore === null ? '' : `rated ${answer.qualityScore}`,
  ];
  return parts.filter(Boolean).join(', ');
}

function wordCount(text: string): number {
  return text.split(/\s+/).filter(Boolean).length;
}

/** The beginning of a text, on one line. */
export function excerpt(text: string, length = 80): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length <= length ? line : `${line.slice(0, length)}…`;
}
