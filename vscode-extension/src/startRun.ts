import * as vscode from 'vscode';
import type { App } from './app';
import { folderOf } from './folders';
import { askInputs, type InputValues } from './inputForm';
import type {
  DocumentBinding,
  InputSpec,
  PipelineEntry,
  PipelineRun,
  RunStartParams,
  StepRegenerateParams,
} from './protocol';

/** Which inputs are asked about when a run is started: all of them, or only if some are open. */
export type InputPrompt = 'all' | 'open';

/** Start a run; what the pipeline wants to know is asked for, filled in as far as it is known. */
export async function startWithInputs(
  app: App,
  params: RunStartParams,
  asks: InputPrompt,
): Promise<PipelineRun | undefined> {
  const folder = folderOf(params.uri == null ? undefined : vscode.Uri.parse(params.uri));
  const { uri } = params;
  const { pipelines, binding } = await app.server.execute('writeit.pipeline.list', { folder, uri });
  const pipeline = pipelines.find(({ name, id }) => [name, id].includes(params.pipeline));
  const bound = binding ?? { pipeline: null, inputs: {} };
  const isEnough = pipeline === undefined || (asks === 'open' && hasAllInputs(pipeline, bound));
  const asked = isEnough ? {} : await promptForInputs(app, pipeline, params, bound);
  return (
    asked &&
    app.server.execute('writeit.run.start', { ...params, inputs: { ...asked, ...params.inputs } })
  );
}

/** Whether the document is bound to the pipeline and gives all that would be asked for. */
function hasAllInputs(pipeline: PipelineEntry, bound: DocumentBinding): boolean {
  const isSaid = (spec: InputSpec): boolean => !needsPrompt(spec) || spec.name in bound.inputs;
  return isBoundTo(pipeline, bound) && pipeline.inputs.every(isSaid);
}

function isBoundTo({ name, id }: PipelineEntry, { pipeline }: DocumentBinding): boolean {
  return pipeline === name || pipeline === id;
}

/** Whether an input is one to ask for: the document gives some by itself. */
function needsPrompt({ from }: InputSpec): boolean {
  return from === null;
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
  const given = bound.inputs;
  const answers = await askInputs({ title: `Start ${pipeline.name}`, specs, initial: given });
  const isNew = answers !== undefined && Object.keys(answers).some((name) => !(name in given));
  const isOthers = bound.pipeline !== null && !isBoundTo(pipeline, bound);
  return uri == null || !isNew || isOthers
    ? answers
    : offerToSaveInputs(app, pipeline.name, uri, answers);
}

const START_ONLY = 'Start';
const START_AND_SAVE = 'Start, and keep the answers in the front matter';

async function offerToSaveInputs(
  app: App,
  pipeline: string,
  uri: string,
  answers: InputValues,
): Promise<InputValues | undefined> {
  const choice = await vscode.window.showQuickPick(
    [
      { label: START_ONLY, description: 'the document stays as it is' },
      {
        label: START_AND_SAVE,
        description: 'what does not stand there yet; next time it is filled in',
      },
    ],
    { title: `Start ${pipeline}`, ignoreFocusOut: true },
  );
  if (choice?.label === START_AND_SAVE) {
    await app.server.execute('writeit.document.frontMatter', { uri, pipeline, inputs: answers });
  }
  return choice && answers;
}

/** Ask what should be different. Undefined if she would rather not ask anew at all. */
export async function askRegenerateFeedback(
  params: StepRegenerateParams,
): Promise<StepRegenerateParams | undefined> {
  if (params.feedback != null) {
    return params;
  }
  const feedback = await vscode.window.showInputBox({
    title: `Ask ${params.step ?? 'the step'} anew`,
    prompt: 'What should be different? Empty: the same question again.',
    ignoreFocusOut: true,
  });
  if (feedback === undefined) {
    return undefined;
  }
  return feedback.trim() === '' ? params : { ...params, feedback };
}
