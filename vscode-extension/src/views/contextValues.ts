import type { App } from '../app';
import { canChange, hasAnswers, hasSeveralAnswers } from '../eligibility';
import { viewUri } from '../pages/uris';
import type { RunSummary, StepState } from '../protocol';
import { listActions, type ServerAction } from '../serverActions';

interface CachedActions {
  readonly updatedAt: string;
  readonly actions: readonly ServerAction[];
}

const cachedActions = new Map<string, CachedActions>();

/** The server's actions for a run, which are asked for again when the run has changed. */
export async function runActions(
  app: App,
  { runId, updatedAt }: RunSummary,
): Promise<readonly ServerAction[]> {
  const cached = cachedActions.get(runId);
  if (cached?.updatedAt === updatedAt) {
    return cached.actions;
  }
  const actions = await listActions(app.server, viewUri('run', runId));
  cachedActions.set(runId, { updatedAt, actions });
  return actions;
}

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

export function stepContextValue(step: StepState, actions: readonly ServerAction[]): string {
  const isOffered = (name: string): boolean =>
    actions.some(({ command, argument }) => command === name && argument['step'] === step.stepName);
  return contextValue(`step.${step.streaming.length > 0 ? 'streaming' : 'quiet'}`, {
    run: isOffered('writeit.step.run'),
    skip: isOffered('writeit.step.skip'),
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
