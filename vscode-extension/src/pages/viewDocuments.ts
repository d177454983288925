import * as vscode from 'vscode';
import type { ChangedRuns, Server } from '../server/server';
import { scrollWithAnswers } from './autoScroll';
import { LiveDocuments } from './liveDocuments';
import type { PageCache } from './pageCache';
import { parseViewUri, SCHEME } from './uris';

const REFRESH_MS = 125;

/** The server's `writeit:` pages, kept up to date while answers stream. */
export function registerViewDocuments(server: Server, pageCache: PageCache): vscode.Disposable {
  const documents = new LiveDocuments({
    scheme: SCHEME,
    delayMs: REFRESH_MS,
    readText: async (uri) => {
      const page = await server.execute('writeit.view.read', { uri: uri.toString() });
      pageCache.add(uri, page);
      return page.text;
    },
  });
  return vscode.Disposable.from(
    documents,
    server.onDidChange((changed) => {
      documents.refresh((uri) => isAffected(uri, changed));
    }),
    server.onDidChangeState((state) => {
      if (state === 'running') {
        documents.refresh(() => true);
      }
    }),
    vscode.workspace.onDidOpenTextDocument((opened) => {
      // A change between reading and opening found no open document to refresh.
      documents.refresh((uri) => uri.toString() === opened.uri.toString());
    }),
    vscode.workspace.onDidCloseTextDocument(({ uri }) => {
      pageCache.delete(uri);
    }),
    scrollWithAnswers(pageCache),
  );
}

function isAffected(uri: vscode.Uri, { runIds, views }: ChangedRuns): boolean {
  const view = parseViewUri(uri);
  // Comparisons and the usage page concern more than one run.
  return view === undefined || runIds.includes(view.runId) || views.includes(uri.toString());
}
