import * as vscode from 'vscode';
import { l10n } from 'vscode';
import type { App } from './app';
import { handleApplied, handlePolished, handleRestored } from './apply/applyOutcome';
import { wasRefused } from './apply/refusedEdits';
import { currentFolder } from './folders';
import {
  inform,
  reportFailures,
  reportMerge,
  reportRemarks,
  reportUndone,
  showBranch,
  showExport,
  showStartedRun,
  suggestAfterChoice,
} from './followUps';
import { checkModels } from './models';
import { compare, isComparable } from './pages/compare';
import { generateWithProgress, runWithProgress, runWithStatus } from './progress';
import type {
  CommandName,
  Commands,
  PipelineRun,
  RunStartParams,
  StepApplyResult,
} from './protocol';
import { reportErrors } from './showError';
import { askRegenerateFeedback, startWithInputs, type InputPrompt } from './startRun';

type CommandParams<C extends CommandName> = Commands[C]['params'];
type Flows = {
  readonly [C in CommandName]?: (app: App, params: CommandParams<C>) => Promise<unknown>;
};

/** A flow that only follows up on the result. */
function executeThen<C extends CommandName>(
  command: C,
  follow: (result: Commands[C]['result'], app: App, params: CommandParams<C>) => unknown,
): (app: App, params: CommandParams<C>) => Promise<Commands[C]['result']> {
  return async (app, params) => {
    const result = await app.server.execute(command, params);
    await follow(result, app, params);
    return result;
  };
}

/** Server commands that need more than a request: questions, progress, a next step. */
const FLOWS: Flows = {
  'writeit.run.start': (app, params) => startRun(app, params, 'missing'),
  'writeit.step.run': (app, params) => generateStep(app, 'writeit.step.run', params),
  'writeit.step.regenerate': async (app, params) => {
    const answered = await askRegenerateFeedback(params);
    return answered && generateStep(app, 'writeit.step.regenerate', answered);
  },
  'writeit.step.continue': (app, params) => generateStep(app, 'writeit.step.continue', params),
  'writeit.step.select': (app, params) => decideStep(app, 'writeit.step.select', params),
  'writeit.step.skip': (app, params) => decideStep(app, 'writeit.step.skip', params),
  'writeit.step.take': executeThen('writeit.step.take', reportMerge),
  'writeit.step.merge': (app, params) =>
    params.instruction == null
      ? decideStep(app, 'writeit.step.merge', params)
      : generateWithProgress(
          app.server,
          'writeit.step.merge',
          params,
          l10n.t('Merging the answers'),
        ),
  'writeit.step.apply': async (app, params) => {
    const apply = (): Promise<StepApplyResult> => app.server.execute('writeit.step.apply', params);
    return handleApplied(app, params, await runWithStatus(l10n.t('Applying the text'), apply));
  },
  'writeit.edit.restore': executeThen('writeit.edit.restore', (result, app, { runId }) =>
    handleRestored(app, runId, result),
  ),
  'writeit.document.polish': async (app, params) => {
    const command = 'writeit.document.polish';
    // A text that is applied at once needs no page.
    const isShown = params.apply !== true;
    const run = await generateWithProgress(
      app.server,
      command,
      params,
      l10n.t('Rewriting'),
      isShown,
    );
    return run && handlePolished(app, params, run);
  },
  'writeit.document.keep': executeThen('writeit.document.keep', (_, app, { uri }) =>
    app.changeReview.refresh(uri),
  ),
  'writeit.document.revert': executeThen('writeit.document.revert', (result, app, { uri }) => {
    if (!wasRefused(uri)) {
      reportUndone(result);
    }
    return app.changeReview.refresh(uri);
  }),
  'writeit.finding.fix': executeThen('writeit.finding.fix', ({ applied }, _, { uri }) => {
    if (!applied && !wasRefused(uri)) {
      inform(l10n.t('Nothing was changed: you were typing. Try again.'));
    }
  }),
  'writeit.run.branch': executeThen('writeit.run.branch', showBranch),
  'writeit.run.rewind': executeThen('writeit.run.rewind', showBranch),
  'writeit.run.export': executeThen('writeit.run.export', showExport),
  'writeit.model.add': (app, params) =>
    runWithProgress(
      app.server,
      'writeit.model.add',
      params,
      l10n.t('Calling {0} once', params.model),
    ),
  'writeit.model.install': (app, params) =>
    runWithProgress(
      app.server,
      'writeit.model.install',
      params,
      l10n.t('Downloading {0}', params.model),
    ),
  'writeit.view.open': async (app, params) => {
    const { left, right } = params;
    if (params.view !== 'compare' || left == null || right == null || !isComparable(left, right)) {
      return app.server.execute('writeit.view.open', params);
    }
    return compare(app, left, right);
  },
};

async function startRun(app: App, params: RunStartParams, prompt: InputPrompt): Promise<unknown> {
  const run = await startWithInputs(app, params, prompt);
  if (run !== undefined && run.review !== null && run.next?.error == null) {
    return reportRemarks(run, run.review);
  }
  return run && (params.goOn === true ? reportNext(app, run) : showStartedRun(run));
}

async function generateStep<
  C extends 'writeit.step.run' | 'writeit.step.regenerate' | 'writeit.step.continue',
>(app: App, command: C, params: CommandParams<C>): Promise<unknown> {
  const title = params.step == null ? l10n.t('Generating') : l10n.t('Generating {0}', params.step);
  const step = await generateWithProgress(app.server, command, params, title);
  return step && reportFailures(step);
}

async function decideStep<
  C extends 'writeit.step.select' | 'writeit.step.skip' | 'writeit.step.merge',
>(app: App, command: C, params: CommandParams<C>): Promise<unknown> {
  const { runId, step } = params;
  const { currentStep, steps } = await app.runStates.run(runId);
  const decided = step ?? currentStep;
  const names = Object.keys(steps);
  const next = names[names.indexOf(decided) + 1];
  const title = next === undefined ? l10n.t('Applying the text') : l10n.t('Generating {0}', next);
  const reply =
    params.goOn === true
      ? await generateWithProgress(app.server, command, params, title)
      : await app.server.execute(command, params);
  // Only a merge by a model is answered with a step.
  if (reply === undefined || 'stepName' in reply) {
    return undefined;
  }
  return params.goOn === true ? reportNext(app, reply) : suggestAfterChoice(reply, decided);
}

/** Report what followed a decision. The server tells by itself why nothing did. */
async function reportNext(app: App, run: PipelineRun): Promise<PipelineRun> {
  const { pipelineRunId: runId, next, applied } = run;
  const step = run.steps[next?.step ?? ''];
  if (applied != null) {
    await handleApplied(app, { runId, step: next?.step }, applied);
  } else if (step !== undefined && next?.error == null) {
    reportFailures(step);
  }
  return run;
}

/** Start a run and ask for every input, also for those that have a value. */
export async function startWithAllInputs(app: App, params: RunStartParams): Promise<unknown> {
  const result = await reportErrors(() => startRun(app, params, 'all'), {});
  await app.editorContext.refresh();
  return result;
}

/** Commands that change what the side bar lists, of which no notification tells. */
const CHANGES_VIEWS: ReadonlySet<CommandName> = new Set([
  'writeit.keys.set',
  'writeit.model.add',
  'writeit.model.install',
  'writeit.preferences.set',
]);

/** Run a server command for the user, with its flow; errors are shown. */
export async function runCommand<C extends CommandName>(
  app: App,
  command: C,
  params: CommandParams<C>,
): Promise<unknown> {
  const flow: ((app: App, params: CommandParams<C>) => Promise<unknown>) | undefined =
    FLOWS[command];
  const waiting = { ...params, wait: true };
  const result = await reportErrors(
    () => (flow === undefined ? app.server.execute(command, waiting) : flow(app, waiting)),
    targetOfParams(params),
  );
  if (CHANGES_VIEWS.has(command)) {
    void checkModels(app, currentFolder());
    await vscode.commands.executeCommand('writeit.ui.views.refresh');
  }
  await app.editorContext.refresh();
  return result;
}

function targetOfParams(params: object): { runId?: string; step?: string } {
  const { runId, step } = params as { runId?: string | null; step?: string | null };
  return { ...(runId == null ? {} : { runId }), ...(step == null ? {} : { step }) };
}

/** Run the command of a clicked lens, code action or link of the server. */
export async function runServerCommand(
  app: App,
  command: string,
  argument: unknown,
): Promise<unknown> {
  return runCommand(app, command as CommandName, (argument ?? {}) as CommandParams<CommandName>);
}
