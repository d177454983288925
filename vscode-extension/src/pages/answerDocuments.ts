import * as vscode from 'vscode';
import { describeError } from '../errors';
import type { PipelineRun } from '../protocol';
import type { Server } from '../server/server';

/** Answers as nothing but their text: what is worth comparing. */
export const ANSWER_SCHEME = 'writeit-answer';
const REFRESH_MS = 250;

interface AnswerId {
  readonly runId: string;
  readonly step: string;
  readonly responseId: string;
}

export function answerUri({ runId, step, responseId }: AnswerId): vscode.Uri {
  return vscode.Uri.from({ scheme: ANSWER_SCHEME, path: `/${runId}/${step}/${responseId}.md` });
}

function parseAnswerUri(uri: vscode.Uri): AnswerId {
  const [, runId = '', step = '', file = ''] = uri.path.split('/');
  return { runId, step, responseId: file.replace(/\.md$/, '') };
}

/** The words of an answer, as far as they came. */
function answerText(run: PipelineRun, { step, responseId }: AnswerId): string {
  const state = run.steps[step];
  const ended = state?.aiResponses.find((one) => one.responseId === responseId);
  const coming = state?.streaming.find((one) => one.responseId === responseId);
  return ended?.processedContent ?? coming?.text ?? '';
}

export class AnswerDocuments implements vscode.TextDocumentContentProvider, vscode.Disposable {
  readonly #server: Server;
  readonly #stale = new vscode.EventEmitter<vscode.Uri>();
  readonly #held: vscode.Disposable;
  #due: NodeJS.Timeout | undefined;

  readonly onDidChange = this.#stale.event;

  constructor(server: Server) {
    this.#server = server;
    this.#held = vscode.Disposable.from(
      vscode.workspace.registerTextDocumentContentProvider(ANSWER_SCHEME, this),
      server.onDidChange(({ runIds }) => {
        this.#due ??= setTimeout(() => {
          this.#due = undefined;
          this.#refresh(runIds);
        }, REFRESH_MS);
      }),
    );
  }

  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    const which = parseAnswerUri(uri);
    try {
      return answerText(
        await this.#server.execute('writeit.run.show', { runId: which.runId }),
        which,
      );
    } catch (error) {
      return describeError(error);
    }
  }

  dispose(): void {
    clearTimeout(this.#due);
    this.#held.dispose();
    this.#stale.dispose();
  }

  #refresh(runIds: readonly string[]): void {
    for (const { uri } of vscode.workspace.textDocuments) {
      if (uri.scheme === ANSWER_SCHEME && runIds.includes(parseAnswerUri(uri).runId)) {
        this.#stale.fire(uri);
      }
    }
  }
}
