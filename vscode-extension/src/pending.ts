import * as vscode from 'vscode';
import { NotRunning, type Server } from './server/server';
import { refusal } from './errors';
import { log } from './log';
import { isOurs, offersAt, type Offer } from './scene';
import { SCHEME } from './uris';

/** Changes within it are looked at together. */
const PAUSE_MS = 250;

/** A text that waits for its document, as the server offers it again. */
export interface Waiting {
  readonly runId: string;
  readonly step: string;
  readonly uri: string;
  /** What the server's command wants, to try once more. */
  readonly again: { readonly runId: string };
}

/** Texts that wait for documents. Which they are is the server's to say. */
export class Pending implements vscode.Disposable {
  readonly #server: Server;
  readonly #changed = new vscode.EventEmitter<void>();
  readonly #held: vscode.Disposable;
  readonly #waiting = new Map<string, readonly Waiting[]>();
  #timer: NodeJS.Timeout | undefined;

  readonly onDidChange = this.#changed.event;

  constructor(server: Server) {
    this.#server = server;
    const soon = (): void => {
      this.#timer ??= setTimeout(() => {
        this.#timer = undefined;
        void this.look();
      }, PAUSE_MS);
    };
    this.#held = vscode.Disposable.from(server.onDidChange(soon), server.onDidChangeState(soon));
  }

  get all(): readonly Waiting[] {
    return [...this.#waiting.values()].flat();
  }

  /** See what waits for the documents on the screen, for those known, and for one more. */
  async look(more?: string): Promise<void> {
    const shown = vscode.window.visibleTextEditors
      .filter(({ document }) => isOurs(document) && document.uri.scheme !== SCHEME)
      .map(({ document }) => document.uri.toString());
    const uris = new Set([
      ...shown,
      ...this.#waiting.keys(),
      ...(more === undefined ? [] : [more]),
    ]);
    const before = JSON.stringify(this.all);
    await Promise.all(
      [...uris].map(async (uri) => {
        const waiting = await this.#waitingFor(uri);
        if (waiting.length === 0) {
          this.#waiting.delete(uri);
        } else {
          this.#waiting.set(uri, waiting);
        }
      }),
    );
    if (JSON.stringify(this.all) !== before) {
      this.#tell();
    }
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#held.dispose();
    this.#changed.dispose();
  }

  async #waitingFor(uri: string): Promise<readonly Waiting[]> {
    if (this.#server.state !== 'running') {
      return [];
    }
    try {
      const offers = await offersAt(this.#server, vscode.Uri.parse(uri));
      return offers.flatMap((offer) => waitingIn(offer, uri));
    } catch (error) {
      if (refusal(error) === undefined && !(error instanceof NotRunning)) {
        log.warn(`What waits for ${uri} is not known`, error);
      }
      return [];
    }
  }

  #tell(): void {
    const some = this.#waiting.size > 0;
    void vscode.commands.executeCommand('setContext', 'writeit.pending', some);
    this.#changed.fire();
  }
}

/** Only a text that waits is offered together with the place it waits for. */
function waitingIn({ command, argument }: Offer, uri: string): readonly Waiting[] {
  const { runId, step, mode } = argument;
  return command === 'writeit.step.apply' &&
    typeof runId === 'string' &&
    typeof step === 'string' &&
    mode != null
    ? [{ runId, step, uri, again: { ...argument, runId } }]
    : [];
}
