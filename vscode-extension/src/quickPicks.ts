import * as vscode from 'vscode';
import { l10n } from 'vscode';
import type { App } from './app';
import { currentFolder, folderOf } from './folders';
import { inform } from './followUps';
import { listModels } from './models';
import { chosenAnswer } from './eligibility';
import { viewUri } from './pages/uris';
import type { AIResponse, PipelineEntry, PipelineRun, RunSummary, StepState } from './protocol';
import { listRuns } from './runList';
import { answerLabel, answerSummary, costText, excerpt, stepStatusText, modelOf } from './wording';

interface Item<T> extends vscode.QuickPickItem {
  readonly value: T;
}

/** What the user accepts in a list or a box, once `value` is not undefined; else undefined. */
export function accepted<T>(
  box: vscode.QuickInput & { readonly onDidAccept: vscode.Event<void> },
  value: () => T | undefined,
): Promise<T | undefined> {
  return new Promise((resolve) => {
    box.onDidAccept(() => {
      const chosen = value();
      if (chosen !== undefined) {
        resolve(chosen);
        box.dispose();
      }
    });
    box.onDidHide(() => {
      resolve(undefined);
      box.dispose();
    });
    box.show();
  });
}

export async function pick<T>(
  items: readonly Item<T>[],
  title: string,
  emptyMessage: string,
): Promise<T | undefined> {
  if (items.length === 0) {
    inform(emptyMessage);
    return undefined;
  }
  const options = { title, matchOnDescription: true, matchOnDetail: true };
  return (await vscode.window.showQuickPick(items, options))?.value;
}

/** Like `pick`, but a single item is chosen without asking. */
export async function pickUnlessSingle<T>(
  items: readonly Item<T>[],
  title: string,
  emptyMessage: string,
): Promise<T | undefined> {
  const [first, ...others] = items;
  return first !== undefined && others.length === 0
    ? first.value
    : pick(items, title, emptyMessage);
}

function costOf({ costUsd, isBlind }: RunSummary): readonly string[] {
  return isBlind ? [] : [costText(costUsd)];
}

export async function pickRun(app: App, title: string): Promise<RunSummary | undefined> {
  const folder = currentFolder();
  const [{ runs }, { activePipelineRunId }] = await Promise.all([
    listRuns(app, { folder }),
    app.server.execute('writeit.session.show', { folder }),
  ]);
  const items = withPassagesBelow(runs).map(({ run, isBelow }) => ({
    label: `${isBelow ? '└ ' : ''}${run.label}`,
    description: [
      run.runId === activePipelineRunId ? l10n.t('active') : '',
      run.pipeline,
      run.statusText,
    ]
      .filter(Boolean)
      .join(', '),
    detail: [new Date(run.updatedAt).toLocaleString(), ...costOf(run)].join(', '),
    value: run,
  }));
  return pick(
    items,
    title,
    l10n.t('There are no runs yet. Start a pipeline in a Markdown document.'),
  );
}

interface ListedRun {
  readonly run: RunSummary;
  readonly isBelow: boolean;
}

/** Runs in their order, those about passages below the run of their document. */
function withPassagesBelow(runs: readonly RunSummary[]): readonly ListedRun[] {
  const ids = new Set(runs.map(({ runId }) => runId));
  return runs
    .filter(({ documentRunId }) => !ids.has(documentRunId ?? ''))
    .flatMap((run) => {
      const passages = runs.filter(({ documentRunId }) => documentRunId === run.runId);
      return [{ run, isBelow: false }, ...passages.map((below) => ({ run: below, isBelow: true }))];
    });
}

export function pickStep(
  run: PipelineRun,
  title: string,
  fits: (step: StepState) => boolean,
): Promise<StepState | undefined> {
  const items = Object.values(run.steps)
    .filter(fits)
    .map((step) => ({ label: step.stepName, description: stepStatusText(step), value: step }));
  return pickUnlessSingle(items, title, l10n.t('No step of this run can be used for this.'));
}

/** The answers of a step in the order of its page: the newest round comes first. */
export async function listAnswers(
  app: App,
  runId: string,
  { stepName, aiResponses }: StepState,
): Promise<readonly AIResponse[]> {
  if (aiResponses.length < 2) {
    return aiResponses;
  }
  const uri = viewUri('step', runId, stepName).toString();
  const { sections } = await app.server.execute('writeit.view.read', { uri });
  return sections.flatMap((section) =>
    aiResponses.filter(({ responseId }) => responseId === section.responseId),
  );
}

async function answerItems(app: App, runId: string, step: StepState): Promise<Item<AIResponse>[]> {
  const chosen = chosenAnswer(step);
  return (await listAnswers(app, runId, step)).map((answer) => ({
    label: answerLabel(answer, modelOf(answer)),
    description: answerSummary(answer, answer === chosen),
    detail: excerpt(answer.processedContent, 160),
    value: answer,
  }));
}

export async function pickAnswer(
  app: App,
  runId: string,
  step: StepState,
  title: string,
): Promise<AIResponse | undefined> {
  const items = await answerItems(app, runId, step);
  return pick(items, title, l10n.t('{0} has no answers yet. Generate it first.', step.stepName));
}

export async function pickAnswers(
  app: App,
  runId: string,
  step: StepState,
  title: string,
): Promise<readonly AIResponse[]> {
  const options = { title, canPickMany: true, matchOnDescription: true } as const;
  const items = await answerItems(app, runId, step);
  return ((await vscode.window.showQuickPick(items, options)) ?? []).map(({ value }) => value);
}

/** Pick a pipeline; first comes `suggested`, or the one that the document is bound to. */
export async function pickPipeline(
  app: App,
  appliesTo: 'document' | 'selection',
  title: string,
  uri: vscode.Uri | undefined,
  suggested?: string,
): Promise<PipelineEntry | undefined> {
  const params = { folder: folderOf(uri), uri: uri?.toString() };
  const { pipelines, binding } = await app.server.execute('writeit.pipeline.list', params);
  const first = suggested ?? binding?.pipeline;
  const items = pipelines
    .filter((pipeline) => pipeline.usable && pipeline.appliesTo === appliesTo)
    .map((pipeline) => ({
      label: pipeline.name,
      description: pipeline.description,
      ...(pipeline.steps.length > 1 ? { detail: pipeline.steps.join(' → ') } : {}),
      value: pipeline,
    }))
    .toSorted((a, b) => Number(b.label === first) - Number(a.label === first));
  return pick(items, title, l10n.t('No pipeline is available for this.'));
}

/**
 * Pick models; those that are not available say why. Those used last come first and are ticked.
 * Undefined if the user cancels.
 */
export async function pickModels(
  app: App,
  title: string,
  last: readonly string[] = [],
): Promise<readonly string[] | undefined> {
  const models = await listModels(app, currentFolder());
  const listed = models.map(({ id, available, reason }) => ({
    label: id,
    description: available ? l10n.t('available') : (reason ?? l10n.t('not available')),
    picked: last.includes(id),
    value: id,
  }));
  const ids = new Set(models.map(({ id }) => id));
  const unlisted = last
    .filter((id) => !ids.has(id))
    .map((id) => ({ label: id, description: '', picked: true, value: id }));
  const items = [...listed, ...unlisted].toSorted((a, b) => Number(b.picked) - Number(a.picked));
  const other = {
    label: l10n.t('Another model…'),
    description: l10n.t('Enter its name'),
    value: '',
  };
  const options = { title, canPickMany: true } as const;
  const chosen = await vscode.window.showQuickPick([...items, other], options);
  if (chosen === undefined) {
    return undefined;
  }
  const named = chosen.some(({ value }) => value === '') ? await askModelName() : undefined;
  return [...chosen.map(({ value }) => value), named ?? ''].filter(Boolean);
}

function askModelName(): Thenable<string | undefined> {
  return vscode.window.showInputBox({
    title: l10n.t('Another model'),
    prompt: l10n.t('Provider and model, for example openai/gpt-4o'),
    ignoreFocusOut: true,
  });
}

const MAX_SAMPLES = 10;

/** Undefined if the user cancels. */
export async function askSamples(title: string, last: number): Promise<number | undefined> {
  const given = await vscode.window.showInputBox({
    title,
    value: String(last),
    validateInput: (value) =>
      /^\d+$/.test(value) && Number(value) >= 1 && Number(value) <= MAX_SAMPLES
        ? undefined
        : l10n.t('Enter a number from 1 to {0}.', MAX_SAMPLES),
  });
  return given === undefined ? undefined : Number(given);
}
