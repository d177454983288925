import * as vscode from 'vscode';
import type { App } from './app';
import { folderOf } from './folders';
import { askInputs, type Answers } from './inputs';
import type {
  DocumentBinding,
  InputSpec,
  PipelineEntry,
  PipelineRun,
  RunStartParams,
  StepRegenerateParams,
} from './protocol';

/** Which inputs are asked about when a run is started: all of them, or only if some are open. */
export type Asks = 'all' | 'open';

/** Start a run; what the pipeline wants to know is asked for, filled in as far as it is known. */
export async function startWithInputs(
  app: App,
  params: RunStartParams,
  asks: Asks,
): Promise<PipelineRun | undefined> {
  const folder = folderOf(params.uri == null ? undefined : vscode.Uri.parse(params.uri));
  const { uri } = params;
  const { pipelines, binding } = await app.server.ask('writeit.pipeline.list', { folder, uri });
  const pipeline = pipelines.find(({ name, id }) => [name, id].includes(params.pipeline));
  const bound = binding ?? { pipeline: null, inputs: {} };
  const isEnough = pipeline === undefined || (asks === 'open' && isAllSaid(pipeline, bound));
  const asked = isEnough ? {} : await answersFor(app, pipeline, params, bound);
  return (
    asked &&
    app.server.ask('writeit.run.start', { ...params, inputs: { ...asked, ...params.inputs } })
  );
}

/** Whether the document is bound to the pipeline and gives all that would be asked for. */
function isAllSaid(pipeline: PipelineEntry, bound: DocumentBinding): boolean {
  const isSaid = (spec: InputSpec): boolean => !isAsked(spec) || spec.name in bound.inputs;
  return isBoundTo(pipeline, bound) && pipeline.inputs.every(isSaid);
}

function isBoundTo({ name, id }: PipelineEntry, { pipeline }: DocumentBinding): boolean {
  return pipeline === name || pipeline === id;
}

/** Whether an input is one to ask for: the document gives some by itself. */
function isAsked({ from }: InputSpec): boolean {
  return from === null;
}

async function answersFor(
  app: App,
  pipeline: PipelineEntry,
  { uri, inputs = {} }: RunStartParams,
  bound: DocumentBinding,
): Promise<Answers | undefined> {
  const specs = pipeline.inputs.filter(
    (spec) => !(spec.name in inputs) && (uri == null || isAsked(spec)),
  );
  if (specs.length === 0) {
    return {};
  }
  const given = bound.inputs;
  const answers = await askInputs({ title: `Start ${pipeline.name}`, specs, given });
  const isNew = answers !== undefined && Object.keys(answers).some((name) => !(name in given));
  const isOthers = bound.pipeline !== null && !isBoundTo(pipeline, bound);
  return uri == null || !isNew || isOthers
    ? answers
    : keepAnswers(app, pipeline.name, uri, answers);
}

const START = 'Start';
const KEEP = 'Start, and keep the answers in the front matter';

async function keepAnswers(
  app: App,
  pipeline: string,
  uri: string,
  answers: Answers,
): Promise<Answers | undefined> {
  const choice = await vscode.window.showQuickPick(
    [
      { label: START, description: 'the document stays as it is' },
      { label: KEEP, description: 'what does not stand there yet; next time it is filled in' },
    ],
    { title: `Start ${pipeline}`, ignoreFocusOut: true },
  );
  if (choice?.label === KEEP) {
    await app.server.ask('writeit.document.frontMatter', { uri, pipeline, inputs: answers });
  }
  return choice && answers;
}

/** Ask what should be different. Undefined if she would rather not ask anew at all. */
export async function askAgain(
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
