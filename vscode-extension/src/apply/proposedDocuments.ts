import * as vscode from 'vscode';
import { LiveDocuments } from '../pages/liveDocuments';
import { sectionText } from '../pages/pageCache';
import { proposedPageUri } from '../pages/uris';
import type { Server } from '../server/server';

/** The user's document as it would be with a step's text in every conflicting passage. */
const PROPOSED_SCHEME = 'writeit-proposed';
const REFRESH_MS = 250;

/** The URI of a proposed document; its query is the URI of the user's document. */
export function proposedUri(runId: string, step: string, document: string): vscode.Uri {
  return vscode.Uri.from({
    scheme: PROPOSED_SCHEME,
    path: `/${runId}/${step}.md`,
    query: document,
  });
}

export function registerProposedDocuments(server: Server): vscode.Disposable {
  const documents = new LiveDocuments({
    scheme: PROPOSED_SCHEME,
    delayMs: REFRESH_MS,
    readText: (uri) => readProposed(server, uri),
  });
  return vscode.Disposable.from(
    documents,
    vscode.workspace.onDidChangeTextDocument(({ document }) => {
      documents.refresh(({ query }) => query === document.uri.toString());
    }),
  );
}

async function readProposed(server: Server, uri: vscode.Uri): Promise<string> {
  const [, runId = '', file = ''] = uri.path.split('/');
  const [document, { left, right }] = await Promise.all([
    vscode.workspace.openTextDocument(vscode.Uri.parse(uri.query)),
    readComparison(server, runId, file.replace(/\.md$/, '')),
  ]);
  return (textBefore(left, document.getText()) ?? '') + right;
}

/** The user's document (left), and the same with a step's text where the two conflict (right). */
export async function readComparison(
  server: Server,
  runId: string,
  step: string,
): Promise<{ readonly left: string; readonly right: string }> {
  const uri = proposedPageUri(runId, step).toString();
  const page = await server.execute('writeit.view.read', { uri });
  return { left: sectionText(page, 'left'), right: sectionText(page, 'right') };
}

/**
 * What precedes `body` in the document: the server compares without front matter.
 * Undefined if the document has changed and no longer contains `body`.
 */
export function textBefore(body: string, document: string): string | undefined {
  const text = document.replaceAll('\r\n', '\n');
  const index = text.lastIndexOf(body.trim());
  return index < 0 ? undefined : text.slice(0, index);
}
