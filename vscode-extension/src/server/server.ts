import { setImmediate } from 'node:timers/promises';
import * as vscode from 'vscode';
import { l10n } from 'vscode';
import { isConnectionError, refusalData } from '../errors';
import { log } from '../log';
import type { CommandName, Commands } from '../protocol';
import type { Connection, Hooks, ConnectionState } from './connection';
import { configuredPath, findServer, serverSources, type FoundServer } from './findServer';
import { versionProblem } from './version';

export type ServerState =
  'idle' | 'restricted' | 'starting' | 'running' | 'missing' | 'failed' | 'stopped';

/** Runs and views that changed, through this server or another process. */
export interface ChangedRuns {
  readonly runIds: readonly string[];
  readonly views: readonly string[];
}

/** A command that was answered, and the run that it named. */
interface Executed {
  readonly command: CommandName;
  readonly runId: string | null;
}

/** Options of one request. */
export interface RequestOptions {
  readonly cancel?: vscode.CancellationToken;
  readonly workDoneToken?: string;
}

/** The server does not run; `message` says why and what to do. */
export class ServerNotRunning extends Error {
  constructor(
    message: string,
    /** It is starting again by itself. */
    readonly isRestarting = false,
  ) {
    super(message);
  }
}

/** What is read, else `instead`; unless the server refuses or is stopped, the log says why. */
export async function valueOr<V, I>(instead: I, reading: Promise<V>): Promise<V | I> {
  try {
    return await reading;
  } catch (error) {
    if (refusalData(error) === undefined && !(error instanceof ServerNotRunning)) {
      log.warn('Cannot read from the server', error);
    }
    return instead;
  }
}

/** The server process, and the connection to it. */
export class Server implements vscode.Disposable {
  readonly #didChangeState = new vscode.EventEmitter<ServerState>();
  readonly #didChange = new vscode.EventEmitter<ChangedRuns>();
  readonly #didExecute = new vscode.EventEmitter<Executed>();
  readonly #context: vscode.ExtensionContext;
  readonly #hooks: Hooks;
  #state: ServerState = 'stopped';
  #path = '';
  #reason = l10n.t('The WriteIt server has not been started.');
  #connection: Connection | undefined;
  #foundServer: FoundServer | undefined;
  #queue: Promise<void> = Promise.resolve();
  #restarting: Promise<void> | undefined;

  readonly onDidChangeState = this.#didChangeState.event;
  readonly onDidChange = this.#didChange.event;
  /** A command was answered. What it changed is told later, by `onDidChange`. */
  readonly onDidExecute = this.#didExecute.event;

  constructor(context: vscode.ExtensionContext, hooks: Hooks) {
    this.#context = context;
    this.#hooks = hooks;
  }

  get state(): ServerState {
    return this.#state;
  }

  /** Why the server is in its state, as a message. */
  get reason(): string {
    return this.#reason;
  }

  /** The path, source and version of the server, if it was found. */
  get description(): string {
    const version = versionOf(this.#connection) ?? l10n.t('unknown version');
    const server = this.#foundServer;
    return server ? `${server.command} (${server.reason}), ${version}` : this.#reason;
  }

  /** Whether the configured path has changed since the last start. */
  get isPathChanged(): boolean {
    return this.#path !== configuredPath();
  }

  /** Start or restart the server. Calls before a restart begins share it. */
  restart(): Promise<void> {
    this.#restarting ??= this.#queue.then(async () => {
      this.#restarting = undefined;
      this.#path = configuredPath(); // read first: granting trust reports changed settings
      await this.#disconnect();
      await this.#start();
    });
    this.#queue = this.#restarting;
    return this.#restarting;
  }

  /** Start, if `isWanted`; else wait until `restart` is called. */
  startIf(isWanted: () => Promise<boolean>): Promise<void> {
    this.#queue = this.#queue.then(async () => {
      if (this.#connection !== undefined) {
        return; // it was started meanwhile
      }
      if (!vscode.workspace.isTrusted || (await isWanted())) {
        this.#path = configuredPath();
        await this.#start();
      } else {
        this.#setState('idle', l10n.t('WriteIt starts in this folder with your first command.'));
      }
    });
    return this.#queue;
  }

  /** The state after what has begun: a start, a restart or a stop. */
  async settled(): Promise<ServerState> {
    await this.#queue;
    return this.#state;
  }

  stop(): Promise<void> {
    this.#queue = this.#queue.then(async () => {
      await this.#disconnect();
      this.#setState(
        'stopped',
        l10n.t('The WriteIt server was stopped. What was received is kept.'),
      );
    });
    return this.#queue;
  }

  /** Execute a server command; waits while the server starts. Throws the server's errors. */
  async execute<C extends CommandName>(
    command: C,
    params: Commands[C]['params'],
    extras: RequestOptions = {},
  ): Promise<Commands[C]['result']> {
    const connection = await this.#runningConnection();
    const { workDoneToken, cancel = NEVER } = extras;
    const request = {
      command,
      arguments: [params],
      ...(workDoneToken === undefined ? {} : { workDoneToken }),
    };
    try {
      // `protocol.ts` is generated from the server's models.
      return await connection.sendRequest<Commands[C]['result']>(EXECUTE, request, cancel);
    } catch (error) {
      throw await this.#explained(error);
    } finally {
      const { runId = null } = params as { runId?: string | null };
      this.#didExecute.fire({ command, runId });
    }
  }

  /** Send a plain LSP request. */
  async request<R>(method: string, params: unknown): Promise<R> {
    const connection = await this.#runningConnection();
    try {
      return await connection.sendRequest<R>(method, params);
    } catch (error) {
      throw await this.#explained(error);
    }
  }

  /** Listen to `$/progress` notifications of one token. */
  async onProgress(token: string, listener: (value: never) => void): Promise<vscode.Disposable> {
    return (await this.#runningConnection()).onToken(token, listener);
  }

  /** Tell the server to read its settings again. */
  async settingsChanged(): Promise<void> {
    if (this.#connection !== undefined && this.#state === 'running') {
      this.#connection.traceAs(traceLevel());
      const change = { settings: null };
      await this.#connection.sendNotification('workspace/didChangeConfiguration', change);
    }
  }

  dispose(): void {
    this.#didChangeState.dispose();
    this.#didChange.dispose();
    this.#didExecute.dispose();
  }

  async #runningConnection(): Promise<Connection> {
    await this.#started();
    if (this.#connection === undefined || this.#state !== 'running') {
      throw new ServerNotRunning(this.#reason);
    }
    return this.#connection;
  }

  /** Wait while a server starts, also the one that follows a crashed one. */
  async #started(): Promise<void> {
    await this.#queue;
    while (this.#connection !== undefined && this.#state === 'starting') {
      await new Promise<void>((resolve) => {
        const listening = this.onDidChangeState(() => {
          listening.dispose();
          resolve();
        });
      });
      await this.#queue;
    }
  }

  /** The reason for an error of a connection that has ended, instead of the client's words. */
  async #explained(error: unknown): Promise<unknown> {
    if (!isConnectionError(error)) {
      return error;
    }
    await setImmediate(); // only then the client has decided whether it starts a new process
    return UNAVAILABLE.includes(this.#state)
      ? new ServerNotRunning(this.#reason)
      : new ServerNotRunning(STATES.starting[1], true);
  }

  async #start(): Promise<void> {
    if (!vscode.workspace.isTrusted) {
      this.#setState(
        'restricted',
        l10n.t('WriteIt does nothing in Restricted Mode. Trust this workspace to use it.'),
      );
      return;
    }
    this.#setState('starting', l10n.t('The WriteIt server is starting.'));
    const search = await findServer(serverSources(this.#context));
    for (const rejected of search.rejected) {
      log.info(`No server: ${rejected}`);
    }
    if (search.server === undefined) {
      this.#setState(
        'missing',
        l10n.t('No WriteIt server was found ({0}).', search.rejected.join('; ')),
      );
      return;
    }
    log.info(`Server: ${search.server.command}, from ${search.server.reason}`);
    await this.#connect(search.server);
  }

  async #connect(server: FoundServer): Promise<void> {
    const { connect } = await import('./connection');
    const connection = connect(server, this.#hooks);
    this.#foundServer = server;
    this.#connection = connection;
    const name = l10n.t('The WriteIt server at {0}', server.command);
    try {
      await connection.start();
    } catch (error) {
      log.error('The server did not start', error);
      this.#setState('failed', l10n.t('{0} did not start. Show the log for details.', name));
      return;
    }
    const problem = versionProblem(versionOf(connection));
    if (problem !== undefined) {
      await this.#disconnect();
      this.#setState('failed', l10n.t('{0} cannot be used: {1}.', name, problem));
      return;
    }
    this.#listen(connection);
    log.info(`Ready: ${this.description}`);
    this.#setState('running', READY);
  }

  #listen(connection: Connection): void {
    connection.traceAs(traceLevel());
    connection.onNotification('writeit/changed', (changed: ChangedRuns) => {
      this.#didChange.fire(changed);
    });
    connection.onStateChange((life) => {
      if (connection === this.#connection && STATES[life][0] !== this.#state) {
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
      log.warn('The server did not stop cleanly', error); // it has stopped in any case
    }
  }

  #setState(state: ServerState, reason: string): void {
    this.#state = state;
    this.#reason = reason;
    log.info(reason);
    const isUnavailable = UNAVAILABLE.includes(state);
    void vscode.commands.executeCommand('setContext', 'writeit.server', state);
    void vscode.commands.executeCommand('setContext', 'writeit.unavailable', isUnavailable);
    this.#didChangeState.fire(state);
  }
}

const EXECUTE = 'workspace/executeCommand';
/** The language client would send `undefined` as one more parameter. */
const NEVER = new vscode.CancellationTokenSource().token;

/** The server's version, once it is initialized. */
function versionOf(connection: Connection | undefined): string | undefined {
  return connection?.initializeResult?.serverInfo?.version;
}

/** States in which commands that need the server are disabled; in others they wait for it. */
const UNAVAILABLE: readonly ServerState[] = ['restricted', 'missing', 'failed', 'stopped'];

const READY = l10n.t('WriteIt is ready.');
const STATES: Readonly<Record<ConnectionState, readonly [ServerState, string]>> = {
  running: ['running', READY],
  starting: [
    'starting',
    l10n.t('The WriteIt server stopped and is being restarted. What was received is kept.'),
  ],
  gone: [
    'failed',
    l10n.t('The WriteIt server stopped. What was received is kept. Restart it to continue.'),
  ],
};

function traceLevel(): string {
  return vscode.workspace.getConfiguration('writeit').get<string | null>('trace') ?? 'off';
}
