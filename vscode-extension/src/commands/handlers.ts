import type { App } from '../app';
import { runCommand } from '../commandFlows';
import type { StepFilter } from '../eligibility';
import { resolveAnswer, resolveRun, resolveStep } from '../target';

/** Runs a command; `argument` is what it was invoked on, if anything. */
export type Handler = (app: App, argument: unknown) => Promise<unknown>;

/** Handlers by their command ids without `writeit.ui.`. */
export type Handlers = Readonly<Record<string, Handler>>;

/** Runs a server command on a run, with `more` parameters. */
export function onRun(
  command: 'writeit.run.pause' | 'writeit.run.resume' | 'writeit.step.apply',
  title: string,
  more: object = {},
): Handler {
  return async (app, argument) => {
    const run = await resolveRun(app, argument, title);
    return run && runCommand(app, command, { runId: run.pipelineRunId, ...more });
  };
}

/** Runs a server command on a step. */
export function onStep(
  command:
    'writeit.step.run' | 'writeit.step.regenerate' | 'writeit.step.skip' | 'writeit.step.merge',
  title: string,
  isEligible: StepFilter,
): Handler {
  return async (app, argument) => {
    const resolved = await resolveStep(app, argument, title, isEligible);
    return resolved && runCommand(app, command, resolved.address);
  };
}

/** Runs a server command on an answer, with `more` parameters. */
export function onAnswer(
  command: 'writeit.step.continue' | 'writeit.step.select',
  title: string,
  isEligible: StepFilter,
  more: object = {},
): Handler {
  return async (app, argument) => {
    const resolved = await resolveAnswer(app, argument, title, isEligible);
    return resolved && runCommand(app, command, { ...resolved.response, ...more });
  };
}
