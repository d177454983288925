import * as vscode from 'vscode';
import { DelayedWork } from '../delayedWork';
import { isWriteItDocument } from '../editorContext';
import { SCHEME } from '../pages/uris';
import type { RunStates } from '../runStates';
import type { ServerAction } from '../serverActions';
import { valueOr, type Server } from '../server/server';

const REFRESH_MS = 250;

/** A text that waits to be applied, as the server offers it again. */
export interface PendingApply {
  readonly runId: string;
  readonly step: string;
  readonly uri: string;
  /** Parameters of the server command that tries again. */
  readonly params: { readonly runId: string };
}

/** Texts that wait to be applied, as the server's code actions tell. */
export class PendingApplies implements vscode.Disposable {
  readonly #server: Server;
  readonly #runStates: RunStates;
  readonly #didChange = new vscode.EventEmitter<void>();
  readonly #subscriptions: vscode.Disposable;
  readonly #byUri = new Map<string, readonly PendingApply[]>();

  readonly onDidChange = this.#didChange.event;

  constructor(server: Server, runStates: RunStates) {
    this.#server = server;
    this.#runStates = runStates;
    const refreshes = new DelayedWork(REFRESH_MS, () => void this.refresh());
    const schedule = (): void => {
      refreshes.schedule();
    };
    this.#subscriptions = vscode.Disposable.from(refreshes, runStates.onDidChange(schedule));
  }

  get all(): readonly PendingApply[] {
    return [...this.#byUri.values()].flat();
  }

  /** Ask the server about visible documents, documents with pending texts, and `uri`. */
  async refresh(uri?: string): Promise<void> {
    if (this.#server.state === 'idle') {
      return; // nothing can be waiting
    }
    const visible = vscode.window.visibleTextEditors
      .filter(({ document }) => isWriteItDocument(document) && document.uri.scheme !== SCHEME)
      .map(({ document }) => document.uri.toString());
    const uris = new Set([...visible, ...this.#byUri.keys(), ...(uri === undefined ? [] : [uri])]);
    const before = JSON.stringify(this.all);
    await Promise.all([...uris].map((each) => this.#refreshDocument(each)));
    if (JSON.stringify(this.all) !== before) {
      this.#publish();
    }
  }

  dispose(): void {
    this.#subscriptions.dispose();
    this.#didChange.dispose();
  }

  async #refreshDocument(uri: string): Promise<void> {
    const pending = await this.#fetch(uri);
    if (pending.length === 0) {
      this.#byUri.delete(uri);
    } else {
      this.#byUri.set(uri, pending);
    }
  }

  async #fetch(uri: string): Promise<readonly PendingApply[]> {
    if (this.#server.state !== 'running') {
      return [];
    }
    const reading = this.#runStates.documentActions(vscode.Uri.parse(uri));
    const actions = await valueOr([], reading);
    return actions.flatMap((action) => pendingIn(action, uri));
  }

  #publish(): void {
    const hasPending = this.#byUri.size > 0;
    void vscode.commands.executeCommand('setContext', 'writeit.pending', hasPending);
    this.#didChange.fire();
  }
}

/** The server names the document of an apply only for a text that waits. */
function pendingIn({ command, argument }: ServerAction, uri: string): readonly PendingApply[] {
  const { runId, step } = argument;
  return command === 'writeit.step.apply' &&
    typeof runId === 'string' &&
    typeof step === 'string' &&
    argument['uri'] != null
    ? [{ runId, step, uri, params: { ...argument, runId } }]
    : [];
}
