import * as vscode from 'vscode';
import { wordsOf } from './errors';
import { followAnswers } from './follow';
import type { Readings } from './readings';
import type { Changed, Server } from './server/server';
import { placeOf, SCHEME } from './uris';

/** Views are read anew at most this often. */
const PAUSE_MS = 125;

/** The text of `writeit:` documents, kept up to date, also while answers stream. */
export class Views implements vscode.TextDocumentContentProvider, vscode.Disposable {
  readonly #server: Server;
  readonly #readings: Readings;
  readonly #stale = new vscode.EventEmitter<vscode.Uri>();
  readonly #due = new Map<string, NodeJS.Timeout>();
  readonly #held: vscode.Disposable;

  readonly onDidChange = this.#stale.event;

  constructor(server: Server, readings: Readings) {
    this.#server = server;
    this.#readings = readings;
    this.#held = vscode.Disposable.from(
      vscode.workspace.registerTextDocumentContentProvider(SCHEME, this),
      server.onDidChange((changed) => {
        this.#refresh((uri) => concerns(uri, changed));
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
        readings.forget(uri);
      }),
      followAnswers(readings),
    );
  }

  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    try {
      const read = await this.#server.ask('writeit.view.read', { uri: uri.toString() });
      this.#readings.keep(uri, read);
      return read.text;
    } catch (error) {
      return `# This page cannot be shown\n\n${wordsOf(error)}\n`;
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
    }, PAUSE_MS);
    this.#due.set(key, timer);
  }
}

function concerns(uri: vscode.Uri, { runIds, views }: Changed): boolean {
  const place = placeOf(uri);
  // Comparisons and the page of usage are about more than one run.
  return place === undefined || runIds.includes(place.runId) || views.includes(uri.toString());
}
