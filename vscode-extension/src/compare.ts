import type * as vscode from 'vscode';
import { answerUri } from './answers';
import type { App } from './app';
import type { PipelineRun, Side, StepState } from './protocol';
import { compareWithDocument } from './landed';
import { showDiff } from './show';
import { viewUri } from './uris';
import { modelOf } from './words';

interface Shown {
  readonly uri: vscode.Uri;
  readonly title: string;
}

/** What is neither an answer nor a step's text: only the server's own page has it. */
const ELSEWHERE: readonly unknown[] = ['document', 'proposed'];

/** Whether the diff editor can show both sides. */
export function comparable(left: Side, right: Side): boolean {
  const isElsewhere = [left, right].some(({ response }) => ELSEWHERE.includes(response));
  return !isElsewhere || isOfDocument(left, right);
}

/** Whether they are the document and what a step's text would make of it. */
function isOfDocument(left: Side, right: Side): boolean {
  const isSame = left.runId === right.runId && left.step === right.step;
  return isSame && left.response === 'document' && right.response === 'proposed';
}

/** Two texts in the diff editor: answers, what steps hand on, the document with a text in it. */
export async function compare(app: App, left: Side, right: Side): Promise<void> {
  if (isOfDocument(left, right)) {
    await compareInDocument(app, left);
    return;
  }
  const [one, other] = await Promise.all([shown(app, left), shown(app, right)]);
  await showDiff(one.uri, other.uri, `${one.title} ↔ ${other.title}`);
}

async function compareInDocument(app: App, { runId, step }: Side): Promise<void> {
  const { uri } = await app.server.ask('writeit.run.show', { runId });
  if (uri === null) {
    throw new RangeError('The run was not started on a document; there is none to compare with.');
  }
  await compareWithDocument(app, runId, step, uri);
}

async function shown(app: App, { runId, step, response }: Side): Promise<Shown> {
  const run = await app.server.ask('writeit.run.show', { runId });
  if (response == null || response === 'content') {
    return { uri: viewUri('content', runId, step), title: `${step} of ${nameOf(run)}` };
  }
  return answer(run, run.steps[step], response);
}

function nameOf({ name, branchPoint }: PipelineRun): string {
  return name ?? (branchPoint === null ? 'the first run' : `the branch at ${branchPoint}`);
}

function answer(run: PipelineRun, step: StepState | undefined, which: number | string): Shown {
  const named = step && (typeof which === 'number' ? ended(step, which) : byId(step, which));
  if (step === undefined || named === undefined) {
    throw new RangeError('There is no such answer to compare.');
  }
  const { responseId, title } = named;
  return {
    uri: answerUri({ runId: run.pipelineRunId, step: step.stepName, responseId }),
    title,
  };
}

interface Named {
  readonly responseId: string;
  readonly title: string;
}

function ended(step: StepState, index: number): Named | undefined {
  const found = step.aiResponses[index];
  return found && { ...found, title: `Answer ${index + 1}, ${modelOf(found)}` };
}

/** An answer that is still coming has no number yet. */
function byId(step: StepState, responseId: string): Named | undefined {
  const index = step.aiResponses.findIndex((one) => one.responseId === responseId);
  const coming = step.streaming.find((one) => one.responseId === responseId);
  return ended(step, index) ?? (coming && { responseId, title: coming.model });
}
