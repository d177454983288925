import * as vscode from 'vscode';
import type { App } from './app';
import * as after from './after';
import { comparable, compare } from './compare';
import { askAgain, startWithInputs, type Asks } from './asking';
import { telling } from './complain';
import { currentFolder } from './folders';
import * as landed from './landed';
import { lookForModels } from './models';
import type { CommandName, Commands, RunStartParams, StepApplyResult } from './protocol';
import { generate, labour, quietly } from './work';

type Params<C extends CommandName> = Commands[C]['params'];
type Flows = {
  readonly [C in CommandName]?: (app: App, params: Params<C>) => Promise<unknown>;
};

/** Commands that are more here than a request: words asked for, progress, what comes next. */
const FLOWS: Flows = {
  'writeit.run.start': (app, params) => start(app, params, 'open'),
  'writeit.step.run': async (app, params) => {
    const step = await generate(app.server, 'writeit.step.run', params, asking(params.step));
    return step && after.answered(step);
  },
  'writeit.step.regenerate': async (app, params) => {
    const worded = await askAgain(params);
    if (worded === undefined) {
      return undefined;
    }
    const title = asking(params.step);
    const step = await generate(app.server, 'writeit.step.regenerate', worded, title);
    return step && after.answered(step);
  },
  'writeit.step.select': async (app, params) =>
    after.decided(await app.server.ask('writeit.step.select', params)),
  'writeit.step.skip': async (app, params) =>
    after.decided(await app.server.ask('writeit.step.skip', params)),
  'writeit.step.take': async (app, params) => {
    const step = await app.server.ask('writeit.step.take', params);
    after.taken(step);
    return step;
  },
  'writeit.step.merge': async (app, params) => {
    if (params.instruction != null) {
      return generate(app.server, 'writeit.step.merge', params, 'joining the parts');
    }
    return after.decided(await app.server.ask('writeit.step.merge', params));
  },
  'writeit.step.apply': async (app, params) => {
    const work = (): Promise<StepApplyResult> => app.server.ask('writeit.step.apply', params);
    return landed.applied(app, params, await quietly('bringing the text in', work));
  },
  'writeit.edit.restore': async (app, params) =>
    landed.restored(app, params.runId, await app.server.ask('writeit.edit.restore', params)),
  'writeit.document.polish': async (app, params) => {
    // What goes right into the text needs no page; of several answers the step is opened.
    const isShown = params.apply !== true;
    const run = await generate(app.server, 'writeit.document.polish', params, 'rewriting', isShown);
    return run && landed.polished(app, params, run);
  },
  'writeit.run.branch': async (app, params) =>
    after.branched(await app.server.ask('writeit.run.branch', params)),
  'writeit.run.rewind': async (app, params) =>
    after.branched(await app.server.ask('writeit.run.rewind', params)),
  'writeit.run.export': async (app, params) =>
    after.exported(await app.server.ask('writeit.run.export', params)),
  'writeit.model.install': async (app, params) =>
    labour(app.server, 'writeit.model.install', params, `fetching ${params.model}`),
  'writeit.view.open': async (app, params) => {
    const { left, right } = params;
    if (params.view !== 'compare' || left == null || right == null || !comparable(left, right)) {
      return app.server.ask('writeit.view.open', params);
    }
    return compare(app, left, right);
  },
};

async function start(app: App, params: RunStartParams, asks: Asks): Promise<unknown> {
  const run = await startWithInputs(app, params, asks);
  return run && after.started(run);
}

/** Start a run by a command of ours: all its inputs are shown, as they are filled in. */
export async function startShowing(app: App, params: RunStartParams): Promise<unknown> {
  const done = await telling(() => start(app, params, 'all'), {});
  await app.scenes.refresh();
  return done;
}

/** What the side bar lists changes with them, and nothing else tells it. */
const LISTED: ReadonlySet<CommandName> = new Set([
  'writeit.keys.set',
  'writeit.model.install',
  'writeit.preferences.set',
]);

function asking(step: string | null | undefined): string {
  return step == null ? 'asking' : `asking ${step}`;
}

/** Do what a click or a palette command means; refusals are told to the writer. */
export async function act<C extends CommandName>(
  app: App,
  command: C,
  params: Params<C>,
): Promise<unknown> {
  const flow: ((app: App, params: Params<C>) => Promise<unknown>) | undefined = FLOWS[command];
  const waiting = { ...params, wait: true };
  const done = await telling(
    () => (flow === undefined ? app.server.ask(command, waiting) : flow(app, waiting)),
    targetOf(params),
  );
  if (LISTED.has(command)) {
    void lookForModels(app, currentFolder());
    await vscode.commands.executeCommand('writeit.ui.views.refresh');
  }
  await app.scenes.refresh();
  return done;
}

function targetOf(params: object): { runId?: string; step?: string } {
  const { runId, step } = params as { runId?: string | null; step?: string | null };
  return { ...(runId == null ? {} : { runId }), ...(step == null ? {} : { step }) };
}

/** A click on a lens, an action or a link of the server's. */
export async function clicked(app: App, command: string, argument: unknown): Promise<unknown> {
  return act(app, command as CommandName, (argument ?? {}) as Params<CommandName>);
}
