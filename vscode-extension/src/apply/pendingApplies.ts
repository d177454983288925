import * as vscode from 'vscode';
import { ServerNotRunning, type Server } from '../server/server';
import { refusalData } from '../errors';
import { log } from '../log';
import { isWriteItDocument, listActions, type ServerAction } from '../editorContext';
import { SCHEME } from '../pages/uris';

/** Changes within it are looked at together. */
const REFRESH_MS = 250;

/** A text that waits for its document, as the server offers it again. */
export interface PendingApply {
  readonly runId: string;
  readonly step: string;
  readonly uri: string;
  /** What the server's command wants, to try once more. */
  readonly params: { readonly runId: string };
}

/** Texts that wait for documents. Which they are is the server's to say. */
export class PendingApplies implements vscode.Disposable {
  readonly #server: Server;
  readonly #didChange = new vscode.EventEmitter<void>();
  readonly #subscriptions: vscode.Disposable;
  readonly #byUri = new Map<string, readonly PendingApply[]>();
  #timer: NodeJS.Timeout | undefined;

  readonly onDidChange = this.#didChange.event;

  constructor(server: Server) {
    this.#server = server;
    const soon = (): void => {
      this.#timer ??= setTimeout(() => {
        this.#timer = undefined;
        void this.refresh();
      }, REFRESH_MS);
    };
    this.#subscriptions = vscode.Disposable.from(
      server.onDidChange(soon),
      server.onDidChangeState(soon),
    );
  }

  get all(): readonly PendingApply[] {
    return [...this.#byUri.values()].flat();
  }

  /** See what waits for the documents on the screen, for those known, and for one more. */
  async refresh(more?: string): Promise<void> {
    const shown = vscode.window.visibleTextEditors
      .filter(({ document }) => isWriteItDocument(document) && document.uri.scheme !== SCHEME)
      .map(({ document }) => document.uri.toString());
    const uris = new Set([...shown, ...this.#byUri.keys(), ...(more === undefined ? [] : [more])]);
    const before = JSON.stringify(this.all);
    await Promise.all(
      [...uris].map(async (uri) => {
        const waiting = await this.#fetch(uri);
        if (waiting.length === 0) {
          this.#byUri.delete(uri);
        } else {
          this.#byUri.set(uri, waiting);
        }
      }),
    );
    if (JSON.stringify(this.all) !== before) {
      this.#publish();
    }
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#subscriptions.dispose();
    this.#didChange.dispose();
  }

  async #fetch(uri: string): Promise<readonly PendingApply[]> {
    if (this.#server.state !== 'running') {
      return [];
    }
    try {
      const offers = await listActions(this.#server, vscode.Uri.parse(uri));
      return offers.flatMap((offer) => pendingIn(offer, uri));
    } catch (error) {
      if (refusalData(error) === undefined && !(error instanceof ServerNotRunning)) {
        log.warn(`What waits for ${uri} is not known`, error);
      }
      return [];
    }
  }

  #publish(): void {
    const some = this.#byUri.size > 0;
    void vscode.commands.executeCommand('setContext', 'writeit.pending', some);
    this.#didChange.fire();
  }
}

/** Only a text that waits is offered together with the place it waits for. */
function pendingIn({ command, argument }: ServerAction, uri: string): readonly PendingApply[] {
  const { runId, step, mode } = argument;
  return command === 'writeit.step.apply' &&
    typeof runId === 'string' &&
    typeof step === 'string' &&
    mode != null
    ? [{ runId, step, uri, params: { ...argument, runId } }]
    : [];
}
