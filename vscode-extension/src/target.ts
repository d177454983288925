import * as vscode from 'vscode';
import type { App, Target } from './app';
import { currentUri, isWriteItDocument } from './editorContext';
import { hasAnswers, type StepFilter } from './eligibility';
import { activeDeskUri } from './pages/showDocument';
import { parseViewUri, SCHEME, type ViewAddress } from './pages/uris';
import type { AIResponse, PipelineRun, StepState } from './protocol';
import { pickAnswer, pickRun, pickStep } from './quickPicks';
import { runIdIn } from './serverActions';

/** What a command's argument names: a page, a tree node's target, or a target itself. */
export function targetOf(argument: unknown): Target {
  if (argument instanceof vscode.Uri) {
    return parseViewUri(argument) ?? {};
  }
  if (typeof argument !== 'object' || argument === null) {
    return {};
  }
  return 'target' in argument ? (argument.target as Target) : argument;
}

/** The value of a property that the argument may have, as a pipeline's tree node has `pipeline`. */
export function namedIn(argument: unknown, key: string): string | undefined {
  return (argument as Readonly<Record<string, string | undefined>> | undefined)?.[key];
}

/** Whether the argument is a tree node, as menus of tree views pass it. */
export function isTreeNode(argument: unknown): boolean {
  return typeof argument === 'object' && argument !== null && 'target' in argument;
}

/** The user's document that a command applies to; beside a page, a visible document. */
export function documentOf(argument: unknown): vscode.Uri | undefined {
  if (argument instanceof vscode.Uri) {
    return argument;
  }
  const { activeTextEditor: active, visibleTextEditors: visible } = vscode.window;
  return [active, ...visible]
    .map((editor) => editor?.document)
    .find(
      (document) =>
        document !== undefined && isWriteItDocument(document) && document.uri.scheme !== SCHEME,
    )?.uri;
}

/** The run that a command applies to: named, of the current document, or picked. */
export async function resolveRun(
  app: App,
  argument: unknown,
  title: string,
): Promise<PipelineRun | undefined> {
  const runId =
    targetOf(argument).runId ?? (await editorRunId(app)) ?? (await pickRun(app, title))?.runId;
  return runId === undefined ? undefined : app.runStates.run(runId);
}

/** The run that the current page or document belongs to, as the server decides. */
async function editorRunId({ runStates }: App): Promise<string | undefined> {
  const uri = currentUri();
  return uri && (parseViewUri(uri)?.runId ?? runIdIn(await runStates.documentActions(uri)));
}

function currentView(): ViewAddress | undefined {
  const uri = activeDeskUri() ?? vscode.window.activeTextEditor?.document.uri;
  return uri && parseViewUri(uri);
}

export interface ResolvedStep {
  readonly run: PipelineRun;
  readonly step: StepState;
  /** The step as parameters of server commands. */
  readonly address: { readonly runId: string; readonly step: string };
}

/**
 * The step that a command applies to: named, of the current page, the current step if
 * `isEligible`, or picked.
 */
export async function resolveStep(
  app: App,
  argument: unknown,
  title: string,
  isEligible: StepFilter = () => true,
): Promise<ResolvedStep | undefined> {
  const run = await resolveRun(app, argument, title);
  if (run === undefined) {
    return undefined;
  }
  const { step: name } = targetOf(argument);
  const step =
    (name === undefined ? likelyStep(run, isEligible) : run.steps[name]) ??
    (await pickStep(run, title, (candidate) => isEligible(candidate, run)));
  return step && { run, step, address: { runId: run.pipelineRunId, step: step.stepName } };
}

function likelyStep(run: PipelineRun, isEligible: StepFilter): StepState | undefined {
  const view = currentView();
  const viewStep = view?.runId === run.pipelineRunId ? view.step : undefined;
  return [viewStep, run.currentStep]
    .map((name) => run.steps[name ?? ''])
    .find((step) => step !== undefined && isEligible(step, run));
}

export interface ResolvedAnswer extends ResolvedStep {
  readonly answer: AIResponse;
  /** The answer as parameters of server commands. */
  readonly response: ResolvedStep['address'] & { readonly response: string };
}

/** The id of the answer that is named, or is the current page. */
export function namedAnswer(argument: unknown): string | undefined {
  const target = targetOf(argument);
  // A named step is not that of the current page, so its answer is asked for.
  return target.runId === undefined ? currentView()?.responseId : target.responseId;
}

/** The answer that a command applies to: named, of the current page, or picked. */
export async function resolveAnswer(
  app: App,
  argument: unknown,
  title: string,
  isEligible: StepFilter = hasAnswers,
): Promise<ResolvedAnswer | undefined> {
  const resolved = await resolveStep(app, argument, title, isEligible);
  if (resolved === undefined) {
    return undefined;
  }
  const { address, step } = resolved;
  const id = namedAnswer(argument);
  const answer =
    step.aiResponses.find(({ responseId }) => responseId === id) ??
    (await pickAnswer(app, address.runId, step, title));
  return answer && { ...resolved, answer, response: { ...address, response: answer.responseId } };
}
