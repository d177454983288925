import * as vscode from 'vscode';
import type { PipelineRun } from '../protocol';
import type { RunStates } from '../runStates';
import { LiveDocuments } from './liveDocuments';

/** Documents that hold the text of one answer and nothing else, for the diff editor. */
const ANSWER_SCHEME = 'writeit-answer';
const REFRESH_MS = 250;

interface AnswerId {
  readonly runId: string;
  readonly step: string;
  readonly responseId: string;
}

export function answerUri({ runId, step, responseId }: AnswerId): vscode.Uri {
  return vscode.Uri.from({ scheme: ANSWER_SCHEME, path: `/${runId}/${step}/${responseId}.md` });
}

export function registerAnswerDocuments(runStates: RunStates): vscode.Disposable {
  const documents = new LiveDocuments({
    scheme: ANSWER_SCHEME,
    delayMs: REFRESH_MS,
    readText: async (uri) => {
      const id = parseAnswerUri(uri);
      return answerText(await runStates.run(id.runId), id);
    },
  });
  return vscode.Disposable.from(
    documents,
    runStates.onDidChange((runIds) => {
      documents.refresh((uri) => runIds?.has(parseAnswerUri(uri).runId) !== false);
    }),
  );
}

function parseAnswerUri(uri: vscode.Uri): AnswerId {
  const [, runId = '', step = '', file = ''] = uri.path.split('/');
  return { runId, step, responseId: file.replace(/\.md$/, '') };
}

/** The text of an answer, as far as it has been received. */
function answerText(run: PipelineRun, { step, responseId }: AnswerId): string {
  const state = run.steps[step];
  const finished = state?.aiResponses.find((answer) => answer.responseId === responseId);
  const streaming = state?.streaming.find((answer) => answer.responseId === responseId);
  return finished?.processedContent ?? streaming?.text ?? '';
}
