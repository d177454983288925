import type { App } from '../app';
import { canChange, hasAnswers, isDone, severalAnswers } from '../fits';
import type { PipelineRun, RunSummary, StepState } from '../protocol';
import { offersAt, type Offer } from '../scene';
import { viewUri } from '../uris';

/** What the server offered for a run the last time, and when that had changed. */
const known = new Map<string, { readonly at: string; readonly offers: readonly Offer[] }>();

/** What the server offers for a run; asked anew when the run has changed. */
export async function offersOf(
  app: App,
  { runId, updatedAt }: RunSummary,
): Promise<readonly Offer[]> {
  const before = known.get(runId);
  if (before?.at === updatedAt) {
    return before.offers;
  }
  const offers = await offersAt(app.server, viewUri('run', runId));
  known.set(runId, { at: updatedAt, offers });
  return offers;
}

/** A line's kind and, after it, words for what fits it: `when` clauses of menus look for them. */
function kindOf(kind: string, fitting: Readonly<Record<string, boolean>>): string {
  return [kind, ...Object.keys(fitting).filter((word) => fitting[word])].join(' ');
}

export function runKind(
  { runId, status, parentRunId }: RunSummary,
  offers: readonly Offer[],
): string {
  const fits = (name: string): boolean =>
    offers.some(({ command, argument }) => command === name && argument['runId'] === runId);
  return kindOf(`run.${status}${parentRunId === null ? '' : '.branch'}`, {
    apply: fits('writeit.step.apply'),
    restore: fits('writeit.edit.restore'),
  });
}

export function stepKind(run: PipelineRun, step: StepState, offers: readonly Offer[]): string {
  const fits = (name: string): boolean =>
    offers.some(({ command, argument }) => command === name && argument['step'] === step.stepName);
  return kindOf(`step.${step.streaming.length > 0 ? 'STREAMING' : step.status}`, {
    run: fits('writeit.step.run'),
    skip: fits('writeit.step.skip'),
    choose: canChange(step, run),
    compare: severalAnswers(step),
    answers: hasAnswers(step),
    done: isDone(step),
  });
}

export function answerKind(run: PipelineRun, step: StepState, index: number): string {
  const kind = index === step.userSelection ? 'answer.chosen' : 'answer';
  return kindOf(kind, { choose: canChange(step, run) });
}
