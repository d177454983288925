import * as vscode from 'vscode';
import {
  CloseAction,
  CodeLensRequest,
  LanguageClient,
  ProgressType,
  RevealOutputChannelOn,
  State,
  Trace,
  type DynamicFeature,
  type ErrorHandler,
  type LanguageClientOptions,
  type Middleware,
  type StaticFeature,
} from 'vscode-languageclient/node';
import { editUnlessRefused } from '../apply/refusedEdits';
import { markdownSelector } from '../editorContext';
import { log } from '../log';
import { toRange } from '../serverActions';
import { serverSettings, userOptions } from '../settings';
import { SCHEME } from '../pages/uris';
import type { ServerCommand } from './findServer';
import { serveLanguageModels } from './languageModels';
import { PromptLenses } from './promptLenses';

/** Handlers for clicks and for requests of the server, which the extension provides. */
export interface Hooks {
  /** Run the command of a clicked code lens, code action or link. */
  execute(command: string, argument: unknown): Promise<unknown>;
  /** Show a document for the server. */
  show(uri: vscode.Uri, focus: boolean, selection?: vscode.Range): Promise<boolean>;
}

/** One connection to one server process. The module is loaded on first use. */
export function connect(server: ServerCommand, hooks: Hooks): Connection {
  const run = { command: server.command, args: [...server.args] };
  const lenses = new PromptLenses((document) => {
    const feature = connection.getFeature(CodeLensRequest.method);
    feature.getProvider(document)?.onDidChangeCodeLensEmitter.fire();
  });
  const options = clientOptions(hooks, lenses);
  const connection = new Connection('writeitServer', 'WriteIt', run, options);
  serveLanguageModels(connection);
  return connection;
}

/** The language client without its provider of `writeit:` documents and its messages. */
export class Connection extends LanguageClient {
  /** Whether a new process follows the one that ended. */
  #willRestart = false;

  override createDefaultErrorHandler(maxRestartCount?: number): ErrorHandler {
    const handler = super.createDefaultErrorHandler(maxRestartCount);
    return {
      error: (...about) => handler.error(...about),
      closed: async () => {
        const result = await handler.closed();
        this.#willRestart = result.action === CloseAction.Restart;
        return result;
      },
    };
  }

  // The extension's own provider waits for a server that is starting, and explains errors.
  override registerFeature(feature: StaticFeature | DynamicFeature<unknown>): void {
    const method = 'registrationType' in feature ? feature.registrationType.method : undefined;
    if (method !== 'workspace/textDocumentContent') {
      super.registerFeature(feature);
    }
  }

  // Messages of the client are for the log: the extension says what the user can do.
  override error(message: string, data?: unknown): void {
    super.error(message, data, false);
  }

  override warn(message: string, data?: unknown): void {
    super.warn(message, data, false);
  }

  override info(message: string, data?: unknown): void {
    super.info(message, data, false);
  }

  override async dispose(): Promise<void> {
    if (this.state === State.Starting) {
      // A client that is starting cannot be stopped: its process would be left over.
      await this.start().catch(() => undefined); // the reason is in the log
    }
    await super.dispose();
  }

  onToken(token: string, listener: (value: never) => void): vscode.Disposable {
    return this.onProgress(new ProgressType<never>(), token, listener);
  }

  /** The language client restarts a crashed server a few times. */
  onStateChange(listener: (life: ConnectionState) => void): void {
    this.onDidChangeState(({ newState }) => {
      const isBetween = newState === State.Stopped && this.#willRestart;
      listener(isBetween ? 'starting' : CONNECTION_STATES[newState]);
    });
  }

  traceAs(level: string): void {
    void this.setTrace(Trace.fromString(level));
  }
}

export type ConnectionState = 'running' | 'starting' | 'gone';

const CONNECTION_STATES: Readonly<Record<State, ConnectionState>> = {
  [State.Running]: 'running',
  [State.Starting]: 'starting',
  [State.Stopped]: 'gone',
  [State.StartFailed]: 'gone',
};

function clientOptions(hooks: Hooks, lenses: PromptLenses): LanguageClientOptions {
  return {
    documentSelector: markdownSelector('file', 'untitled', SCHEME),
    initializationOptions: {
      writeit: {
        views: 'uri',
        events: true,
        languageModels: true,
        trusted: vscode.workspace.isTrusted,
        user: userOptions(),
      },
    },
    outputChannel: log,
    revealOutputChannelOn: RevealOutputChannelOn.Never,
    // The extension shows its own message; the client's would only offer to retry.
    initializationFailedHandler: () => false,
    middleware: middleware(hooks, lenses),
  };
}

function middleware(hooks: Hooks, lenses: PromptLenses): Middleware {
  return {
    provideCodeLenses: (document, _token, next) => lenses.provide(document, next),
    // A discarded document changes once more after it was closed.
    didChange: async (event, next) => {
      if (!event.document.isClosed) {
        await next(event);
      }
    },
    executeCommand: (command, args: readonly unknown[]) => hooks.execute(command, args[0]),
    window: {
      showDocument: async (params, token, next) => {
        const uri = vscode.Uri.parse(params.uri);
        if (params.external === true) {
          return next(params, token);
        }
        const selection = params.selection && toRange(params.selection);
        return { success: await hooks.show(uri, params.takeFocus === true, selection) };
      },
    },
    workspace: {
      handleApplyEdit: async (params, next) => {
        const [change] = params.edit.documentChanges ?? [];
        const edit = async () => next(params, new vscode.CancellationTokenSource().token);
        return change !== undefined && 'textDocument' in change
          ? editUnlessRefused(vscode.Uri.parse(change.textDocument.uri), edit)
          : edit();
      },
      configuration: (params) =>
        params.items.map((item) =>
          item.section === 'writeit'
            ? serverSettings(
                item.scopeUri === undefined ? undefined : vscode.Uri.parse(item.scopeUri),
              )
            : null,
        ),
    },
  };
}
