import * as vscode from 'vscode';
import { SCHEME, viewUri } from './pages/uris';
import type { PipelineRun } from './protocol';
import { listActions, type ServerAction } from './serverActions';
import type { Server } from './server/server';

/** Commands that change no run. */
const READING = /\.(get|list|preview|read|show|status|tree)$/;

/**
 * The runs as the server last told: the one source of commands, tree, status bar and `when`
 * clauses. What changed is asked for again when it is read next.
 */
export class RunStates implements vscode.Disposable {
  readonly #server: Server;
  readonly #runs = new Map<string, Promise<PipelineRun>>();
  readonly #actions = new Map<string, Promise<readonly ServerAction[]>>();
  readonly #didChange = new vscode.EventEmitter<ReadonlySet<string> | undefined>();
  readonly #subscriptions: vscode.Disposable;

  /** The runs that changed; undefined if all may have. */
  readonly onDidChange = this.#didChange.event;

  constructor(server: Server) {
    this.#server = server;
    this.#subscriptions = vscode.Disposable.from(
      this.#didChange,
      server.onDidChange(({ runIds }) => {
        this.forget(runIds);
        this.#didChange.fire(new Set(runIds));
      }),
      server.onDidExecute(({ command, runId }) => {
        if (!READING.test(command)) {
          this.forget(runId === null ? undefined : [runId]);
        }
      }),
      server.onDidChangeState(() => {
        this.forget();
        this.#didChange.fire(undefined);
      }),
    );
  }

  run(runId: string): Promise<PipelineRun> {
    return remembered(this.#runs, runId, () => this.#server.execute('writeit.run.show', { runId }));
  }

  /** The actions on the page of a run. */
  actions(runId: string): Promise<readonly ServerAction[]> {
    return this.documentActions(viewUri('run', runId));
  }

  /** The actions at the start of a document, as it is now. */
  documentActions(uri: vscode.Uri): Promise<readonly ServerAction[]> {
    const id = uri.toString();
    const open = vscode.workspace.textDocuments.find((each) => each.uri.toString() === id);
    const key = `${id} ${open?.version ?? ''}`;
    return remembered(this.#actions, key, () => listActions(this.#server, uri));
  }

  /** Ask again for these runs when they are read next, or for all: the empty id is in every key. */
  forget(runIds: readonly string[] = [...this.#runs.keys(), '']): void {
    for (const runId of runIds) {
      this.#runs.delete(runId);
    }
    for (const key of this.#actions.keys()) {
      // Those of a document may be about any run.
      if (!key.startsWith(`${SCHEME}:`) || runIds.some((runId) => key.includes(runId))) {
        this.#actions.delete(key);
      }
    }
  }

  dispose(): void {
    this.#subscriptions.dispose();
  }
}

function remembered<V>(
  values: Map<string, Promise<V>>,
  key: string,
  read: () => Promise<V>,
): Promise<V> {
  const known = values.get(key);
  if (known !== undefined) {
    return known;
  }
  const value = read();
  values.set(key, value);
  value.catch(() => {
    if (values.get(key) === value) {
      values.delete(key); // a failure is not remembered
    }
  });
  return value;
}
