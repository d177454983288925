import * as vscode from 'vscode';
import type { App } from './app';
import * as after from './followUps';
import { isComparable, compare } from './pages/compare';
import { askRegenerateFeedback, startWithInputs, type InputPrompt } from './startRun';
import { reportErrors } from './showError';
import { currentFolder } from './folders';
import * as landed from './apply/applyOutcome';
import { checkModels } from './models';
import type { CommandName, Commands, RunStartParams, StepApplyResult } from './protocol';
import { generateWithProgress, runWithProgress, runWithStatus } from './progress';

type CommandParams<C extends CommandName> = Commands[C]['params'];
type Flows = {
  readonly [C in CommandName]?: (app: App, params: CommandParams<C>) => Promise<unknown>;
};

/** Commands that are more here than a request: words asked for, progress, what comes next. */
const FLOWS: Flows = {
  'writeit.run.start': (app, params) => startRun(app, params, 'open'),
  'writeit.step.run': async (app, params) => {
    const step = await generateWithProgress(
      app.server,
      'writeit.step.run',
      params,
      progressTitle(params.step),
    );
    return step && after.reportFailures(step);
  },
  'writeit.step.regenerate': async (app, params) => {
    const worded = await askRegenerateFeedback(params);
    if (worded === undefined) {
      return undefined;
    }
    const title = progressTitle(params.step);
    const step = await generateWithProgress(app.server, 'writeit.step.regenerate', worded, title);
    return step && after.reportFailures(step);
  },
  'writeit.step.select': async (app, params) =>
    after.suggestAfterChoice(await app.server.execute('writeit.step.select', params)),
  'writeit.step.skip': async (app, params) =>
    after.suggestAfterChoice(await app.server.execute('writeit.step.skip', params)),
  'writeit.step.take': async (app, params) => {
    const step = await app.server.execute('writeit.step.take', params);
    after.reportMerge(step);
    return step;
  },
  'writeit.step.merge': async (app, params) => {
    if (params.instruction != null) {
      return generateWithProgress(app.server, 'writeit.step.merge', params, 'joining the parts');
    }
    return after.suggestAfterChoice(await app.server.execute('writeit.step.merge', params));
  },
  'writeit.step.apply': async (app, params) => {
    const work = (): Promise<StepApplyResult> => app.server.execute('writeit.step.apply', params);
    return landed.handleApplied(app, params, await runWithStatus('bringing the text in', work));
  },
  'writeit.edit.restore': async (app, params) =>
    landed.handleRestored(
      app,
      params.runId,
      await app.server.execute('writeit.edit.restore', params),
    ),
  'writeit.document.polish': async (app, params) => {
    // What goes right into the text needs no page; of several answers the step is opened.
    const isShown = params.apply !== true;
    const run = await generateWithProgress(
      app.server,
      'writeit.document.polish',
      params,
      'rewriting',
      isShown,
    );
    return run && landed.handlePolished(app, params, run);
  },
  'writeit.run.branch': async (app, params) =>
    after.showBranch(await app.server.execute('writeit.run.branch', params)),
  'writeit.run.rewind': async (app, params) =>
    after.showBranch(await app.server.execute('writeit.run.rewind', params)),
  'writeit.run.export': async (app, params) =>
    after.showExport(await app.server.execute('writeit.run.export', params)),
  'writeit.model.install': async (app, params) =>
    runWithProgress(app.server, 'writeit.model.install', params, `fetching ${params.model}`),
  'writeit.view.open': async (app, params) => {
    const { left, right } = params;
    if (params.view !== 'compare' || left == null || right == null || !isComparable(left, right)) {
      return app.server.execute('writeit.view.open', params);
    }
    return compare(app, left, right);
  },
};

async function startRun(app: App, params: RunStartParams, asks: InputPrompt): Promise<unknown> {
  const run = await startWithInputs(app, params, asks);
  return run && after.showStartedRun(run);
}

/** Start a run by a command of ours: all its inputs are shown, as they are filled in. */
export async function startWithAllInputs(app: App, params: RunStartParams): Promise<unknown> {
  const done = await reportErrors(() => startRun(app, params, 'all'), {});
  await app.editorContext.refresh();
  return done;
}

/** What the side bar lists changes with them, and nothing else tells it. */
const SHOWN_IN_VIEWS: ReadonlySet<CommandName> = new Set([
  'writeit.keys.set',
  'writeit.model.install',
  'writeit.preferences.set',
]);

function progressTitle(step: string | null | undefined): string {
  return step == null ? 'asking' : `asking ${step}`;
}

/** Do what a click or a palette command means; refusals are told to the writer. */
export async function runCommand<C extends CommandName>(
  app: App,
  command: C,
  params: CommandParams<C>,
): Promise<unknown> {
  const flow: ((app: App, params: CommandParams<C>) => Promise<unknown>) | undefined =
    FLOWS[command];
  const waiting = { ...params, wait: true };
  const done = await reportErrors(
    () => (flow === undefined ? app.server.execute(command, waiting) : flow(app, waiting)),
    targetOfParams(params),
  );
  if (SHOWN_IN_VIEWS.has(command)) {
    void checkModels(app, currentFolder());
    await vscode.commands.executeCommand('writeit.ui.views.refresh');
  }
  await app.editorContext.refresh();
  return done;
}

function targetOfParams(params: object): { runId?: string; step?: string } {
  const { runId, step } = params as { runId?: string | null; step?: string | null };
  return { ...(runId == null ? {} : { runId }), ...(step == null ? {} : { step }) };
}

/** A click on a lens, an action or a link of the server's. */
export async function runServerCommand(
  app: App,
  command: string,
  argument: unknown,
): Promise<unknown> {
  return runCommand(app, command as CommandName, (argument ?? {}) as CommandParams<CommandName>);
}
