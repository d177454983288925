import { canChoose, chosenAnswer, hasAnswers, hasRest, hasSeveralAnswers } from '../eligibility';
import type { AIResponse, RunSummary, StepState } from '../protocol';
import type { ServerAction } from '../serverActions';

/** A node's kind, followed by the words that `when` clauses of menus look for. */
function contextValue(kind: string, words: Readonly<Record<string, boolean>>): string {
  return [kind, ...Object.keys(words).filter((word) => words[word])].join(' ');
}

export function runContextValue(
  { runId, parentRunId }: RunSummary,
  actions: readonly ServerAction[],
): string {
  const isOffered = (name: string): boolean =>
    actions.some(({ command, argument }) => command === name && argument['runId'] === runId);
  return contextValue(`run.${parentRunId === null ? 'root' : 'branch'}`, {
    resume: isOffered('writeit.run.resume'),
    apply: isOffered('writeit.step.apply'),
    restore: isOffered('writeit.edit.restore'),
  });
}

export function stepContextValue(step: StepState): string {
  return contextValue(`step.${step.streaming.length > 0 ? 'streaming' : 'quiet'}`, {
    run: step.can.run,
    skip: step.can.skip,
    choose: canChoose(step),
    compare: hasSeveralAnswers(step),
    answers: hasAnswers(step),
    done: step.isDone,
  });
}

export function answerContextValue(step: StepState, answer: AIResponse): string {
  const kind = answer === chosenAnswer(step) ? 'answer.chosen' : 'answer';
  return contextValue(kind, {
    choose: canChoose(step),
    continue: step.can.continue && hasRest(answer),
  });
}
