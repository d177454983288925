import type * as vscode from 'vscode';
import { answerUri } from './answerDocuments';
import type { App } from '../app';
import type { PipelineRun, Side, StepState } from '../protocol';
import { compareWithDocument } from '../apply/applyOutcome';
import { showDiff } from './showDocument';
import { viewUri } from './uris';
import { modelId } from '../wording';

interface ComparedText {
  readonly uri: vscode.Uri;
  readonly title: string;
}

/** What is neither an answer nor a step's text: only the server's own page has it. */
const SERVER_ONLY: readonly unknown[] = ['document', 'proposed'];

/** Whether the diff editor can show both sides. */
export function isComparable(left: Side, right: Side): boolean {
  const isElsewhere = [left, right].some(({ response }) => SERVER_ONLY.includes(response));
  return !isElsewhere || isDocumentComparison(left, right);
}

/** Whether they are the document and what a step's text would make of it. */
function isDocumentComparison(left: Side, right: Side): boolean {
  const isSame = left.runId === right.runId && left.step === right.step;
  return isSame && left.response === 'document' && right.response === 'proposed';
}

/** Two texts in the diff editor: answers, what steps hand on, the document with a text in it. */
export async function compare(app: App, left: Side, right: Side): Promise<void> {
  if (isDocumentComparison(left, right)) {
    await compareRunDocument(app, left);
    return;
  }
  const [one, other] = await Promise.all([comparedText(app, left), comparedText(app, right)]);
  await showDiff(one.uri, other.uri, `${one.title} ↔ ${other.title}`);
}

async function compareRunDocument(app: App, { runId, step }: Side): Promise<void> {
  const { uri } = await app.server.execute('writeit.run.show', { runId });
  if (uri === null) {
    throw new RangeError('The run was not started on a document; there is none to compare with.');
  }
  await compareWithDocument(app, runId, step, uri);
}

async function comparedText(app: App, { runId, step, response }: Side): Promise<ComparedText> {
  const run = await app.server.execute('writeit.run.show', { runId });
  if (response == null || response === 'content') {
    return { uri: viewUri('content', runId, step), title: `${step} of ${runName(run)}` };
  }
  return answerOfStep(run, run.steps[step], response);
}

function runName({ name, branchPoint }: PipelineRun): string {
  return name ?? (branchPoint === null ? 'the first run' : `the branch at ${branchPoint}`);
}

function answerOfStep(
  run: PipelineRun,
  step: StepState | undefined,
  which: number | string,
): ComparedText {
  const named =
    step && (typeof which === 'number' ? finishedAnswer(step, which) : answerById(step, which));
  if (step === undefined || named === undefined) {
    throw new RangeError('There is no such answer to compare.');
  }
  const { responseId, title } = named;
  return {
    uri: answerUri({ runId: run.pipelineRunId, step: step.stepName, responseId }),
    title,
  };
}

interface TitledAnswer {
  readonly responseId: string;
  readonly title: string;
}

function finishedAnswer(step: StepState, index: number): TitledAnswer | undefined {
  const found = step.aiResponses[index];
  return found && { ...found, title: `Answer ${index + 1}, ${modelId(found)}` };
}

/** An answer that is still coming has no number yet. */
function answerById(step: StepState, responseId: string): TitledAnswer | undefined {
  const index = step.aiResponses.findIndex((one) => one.responseId === responseId);
  const coming = step.streaming.find((one) => one.responseId === responseId);
  return finishedAnswer(step, index) ?? (coming && { responseId, title: coming.model });
}
