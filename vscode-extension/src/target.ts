import * as vscode from 'vscode';
import type { App, Target } from './app';
import { hasAnswers, type StepFilter } from './eligibility';
import type { PipelineRun, StepState } from './protocol';
import { pickAnswer, pickRun, pickStep, type Answer } from './quickPicks';
import { isWriteItDocument, currentDocument, findRunId } from './editorContext';
import { parseViewUri, SCHEME } from './pages/uris';

/** What a command is about: where it was invoked, else what the writer looks at. */
export function targetOf(argument: unknown): Target {
  if (argument instanceof vscode.Uri) {
    return parseViewUri(argument) ?? {};
  }
  if (typeof argument !== 'object' || argument === null) {
    return {};
  }
  return 'target' in argument ? (argument.target as Target) : argument;
}

/** Whether it is a line of a tree, as menus on lines and the titles of trees hand over. */
export function isTreeNode(argument: unknown): boolean {
  return typeof argument === 'object' && argument !== null && 'target' in argument;
}

/** The writer's document a command is about; beside a view, the one that is visible there. */
export function documentOf(argument: unknown): vscode.Uri | undefined {
  if (argument instanceof vscode.Uri) {
    return argument;
  }
  const { activeTextEditor: active, visibleTextEditors: visible } = vscode.window;
  return [active, ...visible]
    .map((editor) => editor?.document)
    .find((document) => document !== undefined && isWriteItDocument(document) && !isView(document))
    ?.uri;
}

function isView({ uri }: vscode.TextDocument): boolean {
  return uri.scheme === SCHEME;
}

export async function resolveRun(
  app: App,
  argument: unknown,
  title: string,
): Promise<PipelineRun | undefined> {
  const runId =
    targetOf(argument).runId ?? (await editorRunId(app)) ?? (await pickRun(app, title))?.runId;
  return runId === undefined ? undefined : app.server.execute('writeit.run.show', { runId });
}

async function editorRunId(app: App): Promise<string | undefined> {
  const document = currentDocument();
  return document !== undefined && isWriteItDocument(document)
    ? findRunId(app.server, document.uri)
    : undefined;
}

export interface ResolvedStep {
  readonly run: PipelineRun;
  readonly step: StepState;
  readonly runId: string;
}

/** The step that is meant: named, looked at, the current one if it fits, else asked for. */
export async function resolveStep(
  app: App,
  argument: unknown,
  title: string,
  fits: StepFilter = () => true,
): Promise<ResolvedStep | undefined> {
  const run = await resolveRun(app, argument, title);
  if (run === undefined) {
    return undefined;
  }
  const { step: name } = targetOf(argument);
  const named = name === undefined ? likelyStep(run, fits) : run.steps[name];
  const step = named ?? (await pickStep(run, title, (one) => fits(one, run)));
  return step && { run, step, runId: run.pipelineRunId };
}

function likelyStep(run: PipelineRun, fits: StepFilter): StepState | undefined {
  return [editorStep(run.pipelineRunId), run.currentStep]
    .map((name) => run.steps[name ?? ''])
    .find((step) => step !== undefined && fits(step, run));
}

function editorStep(runId: string): string | undefined {
  const uri = vscode.window.activeTextEditor?.document.uri;
  const place = uri && parseViewUri(uri);
  return place?.runId === runId ? place.step : undefined;
}

export interface ResolvedAnswer extends ResolvedStep, Answer {}

/** The answer that is meant: pointed at, looked at, else asked for. */
export async function resolveAnswer(
  app: App,
  argument: unknown,
  title: string,
  fits: StepFilter = hasAnswers,
): Promise<ResolvedAnswer | undefined> {
  const here = await resolveStep(app, argument, title, fits);
  if (here === undefined) {
    return undefined;
  }
  const { aiResponses } = here.step;
  const target = targetOf(argument);
  const uri = vscode.window.activeTextEditor?.document.uri;
  // What was pointed at is not what she looks at: a step is asked about its answers.
  const id = target.runId === undefined ? uri && parseViewUri(uri)?.responseId : target.responseId;
  const index = target.response ?? aiResponses.findIndex(({ responseId }) => responseId === id);
  const answer = aiResponses[index];
  const found = answer === undefined ? await pickAnswer(here.step, title) : { index, answer };
  return found && { ...here, ...found };
}
