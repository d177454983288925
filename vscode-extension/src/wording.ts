import { l10n } from 'vscode';
import { chosenAnswer, hasRest } from './eligibility';
import type { AIResponse, PipelineRun, StepState } from './protocol';

export function stepStatusText(step: StepState): string {
  if (step.streaming.length > 0) {
    return l10n.t('generating {0}', plural(step.streaming.length, 'answer'));
  }
  if (step.isDone) {
    return step.can.apply ? choiceText(step) : l10n.t('skipped');
  }
  if (step.can.select) {
    return l10n.t('{0} to choose from', plural(step.aiResponses.length, 'answer'));
  }
  return step.failures.length > 0 ? l10n.t('failed') : l10n.t('not started');
}

function choiceText(step: StepState): string {
  const chosen = chosenAnswer(step);
  if (chosen === undefined) {
    return l10n.t('merged');
  }
  if (step.part !== null) {
    return l10n.t('part of answer {0} chosen', chosen.number);
  }
  return step.editedContent === null
    ? l10n.t('answer {0} chosen', chosen.number)
    : l10n.t('answer {0} chosen and edited', chosen.number);
}

/** A message that names WriteIt, for notifications. */
export function withPrefix(message: string): string {
  return message.includes('WriteIt') ? message : `WriteIt: ${message}`;
}

const COUNTED = {
  answer: [l10n.t('1 answer'), (n: number) => l10n.t('{0} answers', n)],
  character: [l10n.t('1 character'), (n: number) => l10n.t('{0} characters', n)],
  conflict: [l10n.t('1 conflict'), (n: number) => l10n.t('{0} conflicts', n)],
  model: [l10n.t('1 model'), (n: number) => l10n.t('{0} models', n)],
  passage: [l10n.t('1 passage'), (n: number) => l10n.t('{0} passages', n)],
  problem: [l10n.t('1 problem'), (n: number) => l10n.t('{0} problems', n)],
  remark: [l10n.t('1 remark'), (n: number) => l10n.t('{0} remarks', n)],
  run: [l10n.t('1 run'), (n: number) => l10n.t('{0} runs', n)],
  text: [l10n.t('1 text'), (n: number) => l10n.t('{0} texts', n)],
  token: [l10n.t('1 token'), (n: number) => l10n.t('{0} tokens', n)],
  value: [l10n.t('1 value'), (n: number) => l10n.t('{0} values', n)],
  word: [l10n.t('1 word'), (n: number) => l10n.t('{0} words', n)],
} as const;

/** A number and what is counted, as in `1 answer` or `2 answers`. */
export function plural(count: number, noun: keyof typeof COUNTED): string {
  const [one, several] = COUNTED[noun];
  return count === 1 ? one : several(count);
}

/** What people call an answer: its number, or its letter until a blind choice. */
export function answerName({ letter, number }: Pick<AIResponse, 'letter' | 'number'>): string {
  return letter ?? String(number);
}

/** As in `Answer 2: openai/gpt-4o`, in lists and trees; the model is hidden with the number. */
export function answerLabel(
  answer: Pick<AIResponse, 'letter' | 'number'>,
  model: string | undefined,
): string {
  const name = answerName(answer);
  return answer.letter === null && model !== undefined
    ? l10n.t('Answer {0}: {1}', name, model)
    : l10n.t('Answer {0}', name);
}

export function modelOf({ provider, modelName }: AIResponse): string {
  return `${provider}/${modelName}`;
}

/** Whether the user has to choose without knowing models, costs and times. */
export function isBlind({ steps }: PipelineRun): boolean {
  return Object.values(steps)
    .flatMap(({ aiResponses, streaming }) => [...aiResponses, ...streaming])
    .some(({ letter }) => letter !== null);
}

export function costText(costUsd: number | null): string {
  return costUsd === null ? l10n.t('cost unknown') : `$${costUsd.toFixed(4)}`;
}

/** Why an answer was refused its end; of others its model may write the rest. */
const BLOCKED: ReadonlySet<string> = new Set(['content_filter', 'refused', 'context']);

function isIncomplete(answer: AIResponse): boolean {
  return hasRest(answer) || BLOCKED.has(answer.finishReason ?? '');
}

export function answerSummary(answer: AIResponse, isChosen: boolean): string {
  const parts = [
    isChosen ? l10n.t('chosen') : '',
    isIncomplete(answer) ? l10n.t('incomplete') : '',
    plural(countWords(answer.processedContent), 'word'),
    answer.letter === null ? costText(answer.usageStats.costUsd) : '',
    answer.qualityScore === null ? '' : ratingText(answer.qualityScore),
  ];
  return parts.filter(Boolean).join(', ');
}

function ratingText(score: number): string {
  return l10n.t('rated {0} of 5', Number((score * 5).toFixed(2)));
}

function countWords(text: string): number {
  return text.split(/\s+/).filter(Boolean).length;
}

/** The start of a text, on one line. */
export function excerpt(text: string, length = 80): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length <= length ? line : `${line.slice(0, length)}…`;
}
