import * as vscode from 'vscode';
import { log } from '../log';
import type { CommandName, Commands } from '../protocol';
import type { Connection, Hooks, ConnectionState } from './connection';
import { findServer, type FoundServer } from './findServer';
import { configuredPath, serverSources } from './sources';
import { versionProblem } from './version';

export type ServerState = 'restricted' | 'starting' | 'running' | 'missing' | 'failed' | 'stopped';

/** Runs and what shows them changed; from this server or another process. */
export interface ChangedRuns {
  readonly runIds: readonly string[];
  readonly views: readonly string[];
}

/** Given along with a request. */
export interface RequestOptions {
  readonly cancel?: vscode.CancellationToken;
  readonly workDoneToken?: string;
}

/** The server is not there to be asked; `message` says why and what to do. */
export class ServerNotRunning extends Error {}

/** The server process and our connection to it. */
export class Server implements vscode.Disposable {
  readonly #didChangeState = new vscode.EventEmitter<ServerState>();
  readonly #didChange = new vscode.EventEmitter<ChangedRuns>();
  readonly #context: vscode.ExtensionContext;
  readonly #hooks: Hooks;
  #state: ServerState = 'stopped';
  #path = '';
  #reason = 'The WriteIt server was not started.';
  #connection: Connection | undefined;
  #found: FoundServer | undefined;
  #queue: Promise<void> = Promise.resolve();
  #restarting: Promise<void> | undefined;

  readonly onDidChangeState = this.#didChangeState.event;
  readonly onDidChange = this.#didChange.event;

  constructor(context: vscode.ExtensionContext, hooks: Hooks) {
    this.#context = context;
    this.#hooks = hooks;
  }

  get state(): ServerState {
    return this.#state;
  }

  /** Why it is as it is, in words. */
  get reason(): string {
    return this.#reason;
  }

  /** What was found, and its version once it answered. */
  get description(): string {
    const version = this.#connection?.version ?? 'unknown version';
    const found = this.#found;
    return found ? `${found.command} (${found.reason}), ${version}` : this.#reason;
  }

  /** Whether the settings name another server than the one that was looked for. */
  get isPathChanged(): boolean {
    return this.#path !== configuredPath();
  }

  /** Start, or start anew. Asked for again before it began, it is done once. */
  restart(): Promise<void> {
    this.#restarting ??= this.#queue.then(async () => {
      this.#restarting = undefined;
      this.#path = configuredPath(); // at once: trust makes settings count, and says that they changed
      await this.#disconnect();
      await this.#start();
    });
    this.#queue = this.#restarting;
    return this.#restarting;
  }

  stop(): Promise<void> {
    this.#queue = this.#queue.then(async () => {
      await this.#disconnect();
      this.#setState('stopped', 'The WriteIt server was stopped.');
    });
    return this.#queue;
  }

  /** Ask the server; waits while it starts. Throws its refusals as they come. */
  async execute<C extends CommandName>(
    command: C,
    params: Commands[C]['params'],
    extras: RequestOptions = {},
  ): Promise<Commands[C]['result']> {
    const connection = await this.#runningConnection();
    const { workDoneToken, cancel } = extras;
    const request = {
      command,
      arguments: [params],
      ...(workDoneToken === undefined ? {} : { workDoneToken }),
    };
    // The contract's test compares the types with the server's models.
    return connection.executeCommand(request, cancel) as Promise<Commands[C]['result']>;
  }

  /** A plain LSP request. */
  async request<R>(method: string, params: unknown): Promise<R> {
    return (await this.#runningConnection()).request<R>(method, params);
  }

  /** Listen to `$/progress` of one token. */
  async onProgress(token: string, heard: (value: never) => void): Promise<vscode.Disposable> {
    return (await this.#runningConnection()).onProgress(token, heard);
  }

  /** Tell the server that its settings may be others now. */
  async settingsChanged(): Promise<void> {
    if (this.#connection !== undefined && this.#state === 'running') {
      this.#connection.trace(traceLevel());
      await this.#connection.notify('workspace/didChangeConfiguration', { settings: null });
    }
  }

  dispose(): void {
    this.#didChangeState.dispose();
    this.#didChange.dispose();
  }

  async #runningConnection(): Promise<Connection> {
    await this.#queue;
    if (this.#connection === undefined || this.#state !== 'running') {
      throw new ServerNotRunning(this.#reason);
    }
    return this.#connection;
  }

  async #start(): Promise<void> {
    if (!vscode.workspace.isTrusted) {
      this.#setState(
        'restricted',
        'WriteIt does nothing in Restricted Mode. Trust this workspace to use it.',
      );
      return;
    }
    this.#setState('starting', 'The WriteIt server is starting.');
    const search = await findServer(serverSources(this.#context));
    for (const tried of search.rejected) {
      log.info(`Not taken: ${tried}`);
    }
    if (search.found === undefined) {
      this.#setState('missing', `No WriteIt server was found (${search.rejected.join('; ')}).`);
      return;
    }
    log.info(`Server: ${search.found.command}, from ${search.found.reason}`);
    await this.#connect(search.found);
  }

  async #connect(found: FoundServer): Promise<void> {
    const { Connection } = await import('./connection');
    const connection = new Connection(found, this.#hooks);
    this.#found = found;
    this.#connection = connection;
    const at = `The WriteIt server at ${found.command}`;
    try {
      await connection.start();
    } catch (error) {
      log.error('The server did not start', error);
      this.#setState('failed', `${at} did not start; the log says why.`);
      return;
    }
    const old = versionProblem(connection.version);
    if (old !== undefined) {
      await this.#disconnect();
      this.#setState('failed', `${at} cannot be used: ${old}.`);
      return;
    }
    this.#listen(connection);
    log.info(`Ready: ${this.description}`);
    this.#setState('running', READY);
  }

  #listen(connection: Connection): void {
    connection.trace(traceLevel());
    connection.onNotification('writeit/changed', (changed) => {
      this.#didChange.fire(changed as ChangedRuns);
    });
    connection.onStateChange((life) => {
      if (connection === this.#connection) {
        this.#setState(...STATES[life]);
      }
    });
  }

  async #disconnect(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    try {
      await connection?.dispose();
    } catch (error) {
      log.warn('The server did not end cleanly', error); // it is gone either way
    }
  }

  #setState(state: ServerState, why: string): void {
    this.#state = state;
    this.#reason = why;
    log.info(why);
    void vscode.commands.executeCommand('setContext', 'writeit.server', state);
    this.#didChangeState.fire(state);
  }
}

const READY = 'WriteIt is ready.';
const STATES: Readonly<Record<ConnectionState, readonly [ServerState, string]>> = {
  running: ['running', READY],
  starting: ['starting', 'The WriteIt server stopped by itself and is starting again.'],
  gone: ['failed', 'The WriteIt server stopped by itself; what had come was kept.'],
};

function traceLevel(): string {
  return vscode.workspace.getConfiguration('writeit').get<string | null>('trace') ?? 'off';
}
