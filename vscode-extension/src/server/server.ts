import * as vscode from 'vscode';
import { log } from '../log';
import type { CommandName, Commands } from '../protocol';
import type { Connection, Hooks, Life } from './connection';
import { find, type Found } from './find';
import { namedPath, sources } from './sources';
import { tooOld } from './version';

export type State = 'restricted' | 'starting' | 'running' | 'missing' | 'failed' | 'stopped';

/** Runs and what shows them changed; from this server or another process. */
export interface Changed {
  readonly runIds: readonly string[];
  readonly views: readonly string[];
}

/** Given along with a request. */
export interface Extras {
  readonly cancel?: vscode.CancellationToken;
  readonly workDoneToken?: string;
}

/** The server is not there to be asked; `message` says why and what to do. */
export class NotRunning extends Error {}

/** The server process and our connection to it. */
export class Server implements vscode.Disposable {
  readonly #states = new vscode.EventEmitter<State>();
  readonly #changes = new vscode.EventEmitter<Changed>();
  readonly #context: vscode.ExtensionContext;
  readonly #hooks: Hooks;
  #state: State = 'stopped';
  #path = '';
  #why = 'The WriteIt server was not started.';
  #connection: Connection | undefined;
  #found: Found | undefined;
  #queue: Promise<void> = Promise.resolve();
  #waiting: Promise<void> | undefined;

  readonly onDidChangeState = this.#states.event;
  readonly onDidChange = this.#changes.event;

  constructor(context: vscode.ExtensionContext, hooks: Hooks) {
    this.#context = context;
    this.#hooks = hooks;
  }

  get state(): State {
    return this.#state;
  }

  /** Why it is as it is, in words. */
  get why(): string {
    return this.#why;
  }

  /** What was found, and its version once it answered. */
  get description(): string {
    const version = this.#connection?.version ?? 'unknown version';
    const found = this.#found;
    return found ? `${found.command} (${found.reason}), ${version}` : this.#why;
  }

  /** Whether the settings name another server than the one that was looked for. */
  get isElsewhere(): boolean {
    return this.#path !== namedPath();
  }

  /** Start, or start anew. Asked for again before it began, it is done once. */
  restart(): Promise<void> {
    this.#waiting ??= this.#queue.then(async () => {
      this.#waiting = undefined;
      this.#path = namedPath(); // at once: trust makes settings count, and says that they changed
      await this.#end();
      await this.#begin();
    });
    this.#queue = this.#waiting;
    return this.#waiting;
  }

  stop(): Promise<void> {
    this.#queue = this.#queue.then(async () => {
      await this.#end();
      this.#become('stopped', 'The WriteIt server was stopped.');
    });
    return this.#queue;
  }

  /** Ask the server; waits while it starts. Throws its refusals as they come. */
  async ask<C extends CommandName>(
    command: C,
    params: Commands[C]['params'],
    extras: Extras = {},
  ): Promise<Commands[C]['result']> {
    const connection = await this.#ready();
    const { workDoneToken, cancel } = extras;
    const request = {
      command,
      arguments: [params],
      ...(workDoneToken === undefined ? {} : { workDoneToken }),
    };
    // The contract's test compares the types with the server's models.
    return connection.ask(request, cancel) as Promise<Commands[C]['result']>;
  }

  /** A plain LSP request. */
  async request<R>(method: string, params: unknown): Promise<R> {
    return (await this.#ready()).request<R>(method, params);
  }

  /** Listen to `$/progress` of one token. */
  async listen(token: string, heard: (value: never) => void): Promise<vscode.Disposable> {
    return (await this.#ready()).listen(token, heard);
  }

  /** Tell the server that its settings may be others now. */
  async settingsChanged(): Promise<void> {
    if (this.#connection !== undefined && this.#state === 'running') {
      this.#connection.trace(traceLevel());
      await this.#connection.notify('workspace/didChangeConfiguration', { settings: null });
    }
  }

  dispose(): void {
    this.#states.dispose();
    this.#changes.dispose();
  }

  async #ready(): Promise<Connection> {
    await this.#queue;
    if (this.#connection === undefined || this.#state !== 'running') {
      throw new NotRunning(this.#why);
    }
    return this.#connection;
  }

  async #begin(): Promise<void> {
    if (!vscode.workspace.isTrusted) {
      this.#become(
        'restricted',
        'WriteIt does nothing in Restricted Mode. Trust this workspace to use it.',
      );
      return;
    }
    this.#become('starting', 'The WriteIt server is starting.');
    const search = await find(sources(this.#context));
    for (const tried of search.tried) {
      log.info(`Not taken: ${tried}`);
    }
    if (search.found === undefined) {
      this.#become('missing', `No WriteIt server was found (${search.tried.join('; ')}).`);
      return;
    }
    log.info(`Server: ${search.found.command}, from ${search.found.reason}`);
    await this.#connect(search.found);
  }

  async #connect(found: Found): Promise<void> {
    const { Connection } = await import('./connection');
    const connection = new Connection(found, this.#hooks);
    this.#found = found;
    this.#connection = connection;
    const at = `The WriteIt server at ${found.command}`;
    try {
      await connection.start();
    } catch (error) {
      log.error('The server did not start', error);
      this.#become('failed', `${at} did not start; the log says why.`);
      return;
    }
    const old = tooOld(connection.version);
    if (old !== undefined) {
      await this.#end();
      this.#become('failed', `${at} cannot be used: ${old}.`);
      return;
    }
    this.#follow(connection);
    log.info(`Ready: ${this.description}`);
    this.#become('running', READY);
  }

  #follow(connection: Connection): void {
    connection.trace(traceLevel());
    connection.onNotification('writeit/changed', (changed) => {
      this.#changes.fire(changed as Changed);
    });
    connection.onLife((life) => {
      if (connection === this.#connection) {
        this.#become(...LIVES[life]);
      }
    });
  }

  async #end(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    try {
      await connection?.end();
    } catch (error) {
      log.warn('The server did not end cleanly', error); // it is gone either way
    }
  }

  #become(state: State, why: string): void {
    this.#state = state;
    this.#why = why;
    log.info(why);
    void vscode.commands.executeCommand('setContext', 'writeit.server', state);
    this.#states.fire(state);
  }
}

const READY = 'WriteIt is ready.';
const LIVES: Readonly<Record<Life, readonly [State, string]>> = {
  running: ['running', READY],
  starting: ['starting', 'The WriteIt server stopped by itself and is starting again.'],
  gone: ['failed', 'The WriteIt server stopped by itself; what had come was kept.'],
};

function traceLevel(): string {
  return vscode.workspace.getConfiguration('writeit').get<string | null>('trace') ?? 'off';
}
