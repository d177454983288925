import * as vscode from 'vscode';
import type { App } from './app';
import { folderOf } from './folders';
import { inputsOf, pipelineOf } from './frontmatter';
import { askInputs, type Answers } from './inputs';
import type {
  InputSpec,
  PipelineEntry,
  PipelineRun,
  RunStartParams,
  StepRegenerateParams,
} from './protocol';

/** Start a run; what the pipeline wants to know and nobody said yet is asked for. */
export async function startWithInputs(
  app: App,
  params: RunStartParams,
): Promise<PipelineRun | undefined> {
  const uri = params.uri == null ? undefined : vscode.Uri.parse(params.uri);
  const { pipelines } = await app.server.ask('writeit.pipeline.list', { folder: folderOf(uri) });
  const pipeline = pipelines.find(({ name, id }) => [name, id].includes(params.pipeline));
  const asked = pipeline === undefined ? {} : await answersFor(app, pipeline, uri, params);
  return (
    asked &&
    app.server.ask('writeit.run.start', { ...params, inputs: { ...asked, ...params.inputs } })
  );
}

async function answersFor(
  app: App,
  pipeline: PipelineEntry,
  uri: vscode.Uri | undefined,
  params: RunStartParams,
): Promise<Answers | undefined> {
  const text = uri && (await vscode.workspace.openTextDocument(uri)).getText();
  const given = inputsOf(text ?? '');
  const known = { ...given, ...params.inputs };
  const specs = pipeline.inputs.filter((spec) => isOpen(spec, known, uri !== undefined));
  if (specs.length === 0) {
    return {};
  }
  const answers = await askInputs({ title: `Start ${pipeline.name}`, specs, given });
  if (answers === undefined || uri === undefined) {
    return answers;
  }
  return keepAnswers(app, pipeline.name, uri, text ?? '', answers);
}

/** Whether an input is still to be asked for: the document gives some by itself. */
function isOpen(spec: InputSpec, known: object, hasDocument: boolean): boolean {
  return !(spec.name in known) && !(spec.from !== null && hasDocument);
}

const START = 'Start';
const KEEP = 'Start, and keep the answers in the front matter';

async function keepAnswers(
  app: App,
  pipeline: string,
  uri: vscode.Uri,
  text: string,
  answers: Answers,
): Promise<Answers | undefined> {
  const bound = pipelineOf(text);
  if (bound !== undefined && bound !== pipeline) {
    return answers; // the front matter speaks of another pipeline
  }
  const choice = await vscode.window.showQuickPick(
    [
      { label: START, description: 'the document stays as it is' },
      { label: KEEP, description: 'they need not be asked again' },
    ],
    { title: `Start ${pipeline}`, ignoreFocusOut: true },
  );
  if (choice?.label === KEEP) {
    const params = { uri: uri.toString(), pipeline, inputs: answers };
    await app.server.ask('writeit.document.frontMatter', params);
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
