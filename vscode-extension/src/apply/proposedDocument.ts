import * as vscode from 'vscode';
import { describeError } from '../errors';
import type { ViewReadResult } from '../protocol';
import type { Server } from '../server/server';
import { proposedPageUri } from '../pages/uris';

/** Her document with a step's text wherever the two contradict each other. */
const PROPOSED_SCHEME = 'writeit-proposed';
const REFRESH_MS = 250;

/** Its address; the document it is about is the query. */
export function proposedUri(runId: string, step: string, document: string): vscode.Uri {
  return vscode.Uri.from({
    scheme: PROPOSED_SCHEME,
    path: `/${runId}/${step}.md`,
    query: document,
  });
}

export class ProposedDocuments implements vscode.TextDocumentContentProvider, vscode.Disposable {
  readonly #server: Server;
  readonly #stale = new vscode.EventEmitter<vscode.Uri>();
  readonly #held: vscode.Disposable;
  readonly #due = new Map<string, NodeJS.Timeout>();

  readonly onDidChange = this.#stale.event;

  constructor(server: Server) {
    this.#server = server;
    this.#held = vscode.Disposable.from(
      vscode.workspace.registerTextDocumentContentProvider(PROPOSED_SCHEME, this),
      vscode.workspace.onDidChangeTextDocument(({ document }) => {
        this.#refresh(document.uri.toString());
      }),
    );
  }

  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    const [, runId = '', file = ''] = uri.path.split('/');
    const step = file.replace(/\.md$/, '');
    try {
      const [document, { left, right }] = await Promise.all([
        vscode.workspace.openTextDocument(vscode.Uri.parse(uri.query)),
        readComparison(this.#server, runId, step),
      ]);
      return (textBefore(left, document.getText()) ?? '') + right;
    } catch (error) {
      return describeError(error);
    }
  }

  dispose(): void {
    this.#held.dispose();
    this.#stale.dispose();
    for (const timer of this.#due.values()) {
      clearTimeout(timer);
    }
  }

  #refresh(about: string): void {
    for (const { uri } of vscode.workspace.textDocuments) {
      const key = uri.toString();
      if (uri.scheme === PROPOSED_SCHEME && uri.query === about && !this.#due.has(key)) {
        const timer = setTimeout(() => {
          this.#due.delete(key);
          this.#stale.fire(uri);
        }, REFRESH_MS);
        this.#due.set(key, timer);
      }
    }
  }
}

/** Her document, and the same with a step's text where the two contradict each other. */
export async function readComparison(
  server: Server,
  runId: string,
  step: string,
): Promise<{ readonly left: string; readonly right: string }> {
  const uri = proposedPageUri(runId, step).toString();
  const read = await server.execute('writeit.view.read', { uri });
  return { left: sectionText(read, 'left'), right: sectionText(read, 'right') };
}

/** One of the two texts of a comparison. */
function sectionText({ text, sections }: ViewReadResult, kind: 'left' | 'right'): string {
  const found = sections.find((one) => one.kind === kind);
  return text
    .split(/\r?\n/)
    .slice(found?.firstLine, (found?.lastLine ?? -1) + 1)
    .join('\n');
}

/**
 * What stands before a text in the document: the server compares without front matter.
 * Undefined if she has typed on, and the text is no longer there.
 */
export function textBefore(body: string, document: string): string | undefined {
  const all = document.replaceAll('\r\n', '\n');
  const at = all.lastIndexOf(body.trim());
  return at < 0 ? undefined : all.slice(0, at);
}
