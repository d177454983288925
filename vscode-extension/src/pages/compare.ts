import { l10n } from 'vscode';
import * as vscode from 'vscode';
import type { App } from '../app';
import { compareWithDocument } from '../apply/applyOutcome';
import { isDone } from '../eligibility';
import type { PipelineRun, Side } from '../protocol';
import { inform } from '../followUps';
import { answerLabel, modelOf } from '../wording';
import { answerUri } from './answerDocuments';
import { showDiff, showDocument, usesDesk } from './showDocument';
import { viewUri } from './uris';

interface ComparedText {
  readonly uri: vscode.Uri;
  readonly title: string;
  /** The parts of a page's address that name it, unless it still grows. */
  readonly ended: readonly [runId: string, step: string, text: string] | undefined;
}

/** Texts that are neither an answer nor a step's text: only the server's own page shows them. */
const SERVER_ONLY: readonly unknown[] = ['document', 'proposed'];

/** Whether the diff editor can show both sides. */
export function isComparable(left: Side, right: Side): boolean {
  const isServerOnly = [left, right].some(({ response }) => SERVER_ONLY.includes(response));
  return !isServerOnly || isDocumentComparison(left, right);
}

/** Whether the sides are the document and what one step's text would make of it. */
function isDocumentComparison(left: Side, right: Side): boolean {
  const isSameStep = left.runId === right.runId && left.step === right.step;
  return isSameStep && left.response === 'document' && right.response === 'proposed';
}

/** Show two texts in the diff editor: answers, texts of steps, or a document with a text in it. */
export async function compare(app: App, left: Side, right: Side): Promise<void> {
  if (isDocumentComparison(left, right)) {
    await compareRunDocument(app, left);
    return;
  }
  const [before, after] = await Promise.all([comparedText(app, left), comparedText(app, right)]);
  if (usesDesk() && before.ended !== undefined && after.ended !== undefined) {
    await showDocument(viewUri('compare', ...before.ended, ...after.ended));
  } else {
    await showDiff(before.uri, after.uri, `${before.title} ↔ ${after.title}`);
  }
}

/** Show all texts in which a branch differs from its original run, in the multi-diff editor. */
export async function compareWithParent(app: App, run: PipelineRun): Promise<void> {
  const { pipelineRunId: runId, parentPipelineRunId: parentId } = run;
  if (parentId === null) {
    return;
  }
  const parent = await app.runStates.run(parentId);
  const changed = Object.values(run.steps)
    .filter(isDone) // what the branch has not come to is no difference
    .map(({ stepName, content }) => ({
      step: stepName,
      before: parent.steps[stepName]?.content ?? '',
      after: content ?? '',
    }))
    .filter(({ before, after }) => before !== after);
  if (changed.length === 0) {
    inform(l10n.t('This branch has the texts of the original run.'));
    return;
  }
  const page = (id: string, step: string, text: string): vscode.Uri | undefined =>
    text === '' ? undefined : viewUri('content', id, step);
  const resources = changed.map(({ step, before, after }) => [
    viewUri('content', runId, step),
    page(parentId, step, before),
    page(runId, step, after),
  ]);
  const title = l10n.t('{0} ↔ {1}', runName(parent), runName(run));
  await vscode.commands.executeCommand('vscode.changes', title, resources);
}

async function compareRunDocument(app: App, { runId, step }: Side): Promise<void> {
  const { uri } = await app.runStates.run(runId);
  if (uri === null) {
    throw new RangeError(l10n.t('This run has no document to compare with.'));
  }
  await compareWithDocument(app, runId, step, uri);
}

async function comparedText(app: App, { runId, step, response }: Side): Promise<ComparedText> {
  const run = await app.runStates.run(runId);
  if (response == null || response === 'content') {
    const title = l10n.t('{0} of {1}', step, runName(run));
    return { uri: viewUri('content', runId, step), title, ended: [runId, step, 'content'] };
  }
  const { aiResponses = [], streaming = [] } = run.steps[step] ?? {};
  const isNamed = ({ responseId }: { responseId: string }): boolean => responseId === response;
  const ended = aiResponses.find((answer, index) => response === index || isNamed(answer));
  const coming = streaming.find(isNamed);
  const answer = ended ?? coming;
  if (answer === undefined) {
    throw new RangeError(l10n.t('{0} has no such answer to compare.', step));
  }
  const { responseId } = answer;
  return {
    uri: answerUri({ runId, step, responseId }),
    title: answerLabel(answer, ended === undefined ? coming?.model : modelOf(ended)),
    ended: ended && [runId, step, responseId],
  };
}

function runName({ name, branchPoint }: PipelineRun): string {
  return (
    name ??
    (branchPoint === null ? l10n.t('the original run') : l10n.t('the branch at {0}', branchPoint))
  );
}
