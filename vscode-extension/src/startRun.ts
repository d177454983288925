import * as vscode from 'vscode';
import { l10n } from 'vscode';
import type { App } from './app';
import { folderOf } from './folders';
import { askInputs, type InputValues } from './inputForm';
import { generateWithProgress } from './progress';
import type {
  DocumentBinding,
  InputSpec,
  PipelineEntry,
  PipelineRun,
  RunStartParams,
  StepRegenerateParams,
} from './protocol';

/** Whether to ask for all inputs of a run, or only if the document does not give them all. */
export type InputPrompt = 'all' | 'missing';

/** Start a run; inputs are asked for, with the known values filled in. Undefined if cancelled. */
export async function startWithInputs(
  app: App,
  params: RunStartParams,
  prompt: InputPrompt,
): Promise<PipelineRun | undefined> {
  const { uri } = params;
  const folder = folderOf(uri == null ? undefined : vscode.Uri.parse(uri));
  const { pipelines, binding } = await app.server.execute('writeit.pipeline.list', { folder, uri });
  const pipeline = pipelines.find(({ name, id }) => [name, id].includes(params.pipeline));
  const bound = binding ?? { pipeline: null, inputs: {} };
  const isComplete =
    pipeline === undefined || (prompt === 'missing' && hasAllInputs(pipeline, bound));
  const inputs = isComplete ? {} : await promptForInputs(app, pipeline, params, bound);
  const request = { ...params, inputs: { ...inputs, ...params.inputs } };
  if (inputs === undefined) {
    return undefined;
  }
  // A review is generated at once, and its remarks are shown in the document.
  const isReview = pipeline?.output === 'review';
  return params.goOn === true || isReview
    ? generateWithProgress(
        app.server,
        'writeit.run.start',
        { ...request, goOn: true },
        isReview ? l10n.t('Reviewing') : l10n.t('Generating'),
        !isReview,
      )
    : app.server.execute('writeit.run.start', request);
}

/** Whether the document is bound to the pipeline and gives all inputs that need a prompt. */
function hasAllInputs(pipeline: PipelineEntry, bound: DocumentBinding): boolean {
  const isOptional = (spec: InputSpec): boolean => !spec.required && spec.default === null;
  const hasValue = (spec: InputSpec): boolean =>
    !needsPrompt(spec) || spec.name in bound.inputs || isOptional(spec);
  return isBoundTo(pipeline, bound) && pipeline.inputs.every(hasValue);
}

function isBoundTo({ name, id }: PipelineEntry, { pipeline }: DocumentBinding): boolean {
  return pipeline === name || pipeline === id;
}

/**
 * Whether the user enters an input; others are read from the document. An optional number
 * without a default, such as a target of words, is not asked for.
 */
function needsPrompt({ from, type, required, default: value }: InputSpec): boolean {
  return from === null && (type !== 'number' || required || value !== null);
}

async function promptForInputs(
  app: App,
  pipeline: PipelineEntry,
  { uri, inputs = {} }: RunStartParams,
  bound: DocumentBinding,
): Promise<InputValues | undefined> {
  const specs = pipeline.inputs.filter(
    (spec) => !(spec.name in inputs) && (uri == null || needsPrompt(spec)),
  );
  if (specs.length === 0) {
    return {};
  }
  const initial = bound.inputs;
  const values = await askInputs({ title: l10n.t('Start {0}', pipeline.name), specs, initial });
  const hasNew = values !== undefined && Object.keys(values).some((name) => !(name in initial));
  const isBoundElsewhere = bound.pipeline !== null && !isBoundTo(pipeline, bound);
  return uri == null || !hasNew || isBoundElsewhere
    ? values
    : offerToSaveInputs(app, pipeline.name, uri, values);
}

const START_ONLY = l10n.t('Start');
const START_AND_SAVE = l10n.t('Start and save the inputs in the front matter');

async function offerToSaveInputs(
  app: App,
  pipeline: string,
  uri: string,
  inputs: InputValues,
): Promise<InputValues | undefined> {
  const choice = await vscode.window.showQuickPick(
    [
      { label: START_ONLY, description: l10n.t('The document is not changed') },
      { label: START_AND_SAVE, description: l10n.t('They are filled in next time') },
    ],
    { title: l10n.t('Start {0}', pipeline), ignoreFocusOut: true },
  );
  if (choice?.label === START_AND_SAVE) {
    await app.server.execute('writeit.document.frontMatter', { uri, pipeline, inputs });
  }
  return choice && inputs;
}

/** Ask what to change in the next answers. Undefined if the user cancels. */
export async function askRegenerateFeedback(
  params: StepRegenerateParams,
): Promise<StepRegenerateParams | undefined> {
  if (params.feedback != null) {
    return params;
  }
  const feedback = await vscode.window.showInputBox({
    title: params.step == null ? l10n.t('Regenerate') : l10n.t('Regenerate {0}', params.step),
    prompt: l10n.t('What should be different? Leave it empty to send the same prompt again.'),
    ignoreFocusOut: true,
  });
  if (feedback === undefined) {
    return undefined;
  }
  return feedback.trim() === '' ? params : { ...params, feedback };
}
