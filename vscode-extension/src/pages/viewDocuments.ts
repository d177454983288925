import * as vscode from 'vscode';
import { describeError } from '../errors';
import { scrollWithAnswers } from './autoScroll';
import type { PageCache } from './pageCache';
import type { ChangedRuns, Server } from '../server/server';
import { parseViewUri, SCHEME } from './uris';

/** Views are read anew at most this often. */
const REFRESH_MS = 125;

/** The text of `writeit:` documents, kept up to date, also while answers stream. */
export class ViewDocuments implements vscode.TextDocumentContentProvider, vscode.Disposable {
  readonly #server: Server;
  readonly #readings: PageCache;
  readonly #stale = new vscode.EventEmitter<vscode.Uri>();
  readonly #due = new Map<string, NodeJS.Timeout>();
  readonly #held: vscode.Disposable;

  readonly onDidChange = this.#stale.event;

  constructor(server: Server, readings: PageCache) {
    this.#server = server;
    this.#readings = readings;
    this.#held = vscode.Disposable.from(
      vscode.workspace.registerTextDocumentContentProvider(SCHEME, this),
      server.onDidChange((changed) => {
        this.#refresh((uri) => isAffected(uri, changed));
      }),
      server.onDidChangeState((state) => {
        if (state === 'running') {
          this.#refresh(() => true);
        }
      }),
      vscode.workspace.onDidOpenTextDocument(({ uri }) => {
        if (uri.scheme === SCHEME) {
          this.#soon(uri); // what changed since it was read found no document to refresh
        }
      }),
      vscode.workspace.onDidCloseTextDocument(({ uri }) => {
        readings.delete(uri);
      }),
      scrollWithAnswers(readings),
    );
  }

  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    try {
      const read = await this.#server.execute('writeit.view.read', { uri: uri.toString() });
      this.#readings.add(uri, read);
      return read.text;
    } catch (error) {
      return `# This page cannot be shown\n\n${describeError(error)}\n`;
    }
  }

  dispose(): void {
    this.#held.dispose();
    this.#stale.dispose();
    for (const timer of this.#due.values()) {
      clearTimeout(timer);
    }
  }

  #refresh(wanted: (uri: vscode.Uri) => boolean): void {
    for (const { uri } of vscode.workspace.textDocuments) {
      if (uri.scheme === SCHEME && wanted(uri)) {
        this.#soon(uri);
      }
    }
  }

  #soon(uri: vscode.Uri): void {
    const key = uri.toString();
    if (this.#due.has(key)) {
      return;
    }
    const timer = setTimeout(() => {
      this.#due.delete(key);
      this.#stale.fire(uri);
    }, REFRESH_MS);
    this.#due.set(key, timer);
  }
}

function isAffected(uri: vscode.Uri, { runIds, views }: ChangedRuns): boolean {
  const place = parseViewUri(uri);
  // Comparisons and the page of usage are about more than one run.
  return place === undefined || runIds.includes(place.runId) || views.includes(uri.toString());
}
