import type { App } from '../app';
import { canChange, hasAnswers, hasSeveralAnswers } from '../eligibility';
import type { RunSummary, StepState } from '../protocol';
import { listActions, type ServerAction } from '../editorContext';
import { viewUri } from '../pages/uris';

/** What the server offered for a run the last time, and when that had changed. */
const cachedActions = new Map<
  string,
  { readonly at: string; readonly offers: readonly ServerAction[] }
>();

/** What the server offers for a run; asked anew when the run has changed. */
export async function runActions(
  app: App,
  { runId, updatedAt }: RunSummary,
): Promise<readonly ServerAction[]> {
  const before = cachedActions.get(runId);
  if (before?.at === updatedAt) {
    return before.offers;
  }
  const offers = await listActions(app.server, viewUri('run', runId));
  cachedActions.set(runId, { at: updatedAt, offers });
  return offers;
}

/** A line's kind and, after it, words for what fits it: `when` clauses of menus look for them. */
function contextValue(kind: string, fitting: Readonly<Record<string, boolean>>): string {
  return [kind, ...Object.keys(fitting).filter((word) => fitting[word])].join(' ');
}

export function runContextValue(
  { runId, parentRunId }: RunSummary,
  offers: readonly ServerAction[],
): string {
  const fits = (name: string): boolean =>
    offers.some(({ command, argument }) => command === name && argument['runId'] === runId);
  return contextValue(`run.${parentRunId === null ? 'root' : 'branch'}`, {
    resume: fits('writeit.run.resume'),
    apply: fits('writeit.step.apply'),
    restore: fits('writeit.edit.restore'),
  });
}

export function stepContextValue(step: StepState, offers: readonly ServerAction[]): string {
  const fits = (name: string): boolean =>
    offers.some(({ command, argument }) => command === name && argument['step'] === step.stepName);
  return contextValue(`step.${step.streaming.length > 0 ? 'streaming' : 'quiet'}`, {
    run: fits('writeit.step.run'),
    skip: fits('writeit.step.skip'),
    choose: canChange(step),
    compare: hasSeveralAnswers(step),
    answers: hasAnswers(step),
    done: step.isDone,
  });
}

export function answerContextValue(step: StepState, index: number): string {
  const kind = index === step.userSelection ? 'answer.chosen' : 'answer';
  return contextValue(kind, { choose: canChange(step) });
}
