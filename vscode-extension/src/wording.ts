import { chosenAnswer } from './eligibility';
import type { AIResponse, StepState } from './protocol';

export function stepStatusText(step: StepState): string {
  if (step.streaming.length > 0) {
    return `generating ${plural(step.streaming.length, 'answer')}`;
  }
  if (step.isDone) {
    return step.can.apply ? choiceText(step) : 'skipped';
  }
  if (step.can.select) {
    return `${plural(step.aiResponses.length, 'answer')} to choose from`;
  }
  return step.failures.length > 0 ? 'failed' : 'not started';
}

function choiceText(step: StepState): string {
  const chosen = chosenAnswer(step);
  if (chosen === undefined) {
    return 'merged';
  }
  if (step.part !== null) {
    return `part of answer ${chosen.number} chosen`;
  }
  const edited = step.editedContent === null ? '' : ' and edited';
  return `answer ${chosen.number} chosen${edited}`;
}

/** A message that names WriteIt, for notifications. */
export function withPrefix(message: string): string {
  return message.includes('WriteIt') ? message : `WriteIt: ${message}`;
}

/** A number and what is counted, as in `1 answer` or `2 answers`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** As in `Answer 2: openai/gpt-4o`, in lists and trees. */
export function answerLabel({ number, provider, modelName }: AIResponse): string {
  return `Answer ${number}: ${provider}/${modelName}`;
}

export function costText(costUsd: number | null): string {
  return costUsd === null ? 'cost unknown' : `$${costUsd.toFixed(4)}`;
}

/** Why an answer that was not interrupted ended before its end. */
const INCOMPLETE: ReadonlySet<string> = new Set(['length', 'content_filter', 'refused', 'context']);

export function isIncomplete({ partial, finishReason }: AIResponse): boolean {
  return partial || INCOMPLETE.has(finishReason ?? '');
}

export function answerSummary(answer: AIResponse, isChosen: boolean): string {
  const parts = [
    isChosen ? 'chosen' : '',
    isIncomplete(answer) ? 'incomplete' : '',
    plural(countWords(answer.processedContent), 'word'),
    costText(answer.usageStats.costUsd),
    answer.qualityScore === null ? '' : `rated ${answer.qualityScore}`,
  ];
  return parts.filter(Boolean).join(', ');
}

function countWords(text: string): number {
  return text.split(/\s+/).filter(Boolean).length;
}

/** The start of a text, on one line. */
export function excerpt(text: string, length = 80): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length <= length ? line : `${line.slice(0, length)}…`;
}
