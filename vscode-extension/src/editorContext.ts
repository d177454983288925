import * as vscode from 'vscode';
import { ServerNotRunning, type Server } from './server/server';
import { refusalData } from './errors';
import { canChange, hasAnswers, isDone } from './eligibility';
import { log } from './log';
import type { PipelineRun, StepState } from './protocol';
import { parseViewUri, SCHEME, type ViewAddress } from './pages/uris';

/** Changes within it are looked at together. */
const REFRESH_MS = 250;

/** What the writer is looking at: a document or a view, and the run it means. */
export interface EditorContext {
  readonly uri?: vscode.Uri;
  readonly view?: ViewAddress;
  readonly run?: PipelineRun;
  readonly step?: StepState;
  /** All that the server offers here. */
  readonly actions?: readonly ServerAction[];
}

/** One thing the server offers at a place. */
export interface ServerAction {
  readonly title: string;
  readonly kind: string;
  readonly command: string;
  readonly argument: Readonly<Record<string, unknown>>;
}

interface CodeAction {
  readonly title: string;
  readonly kind?: string;
  readonly command?: { readonly command: string; readonly arguments?: readonly unknown[] };
}

/** Everything the server offers for a document and a selection in it. */
export async function listActions(
  server: Server,
  uri: vscode.Uri,
  range?: vscode.Range,
): Promise<ServerAction[]> {
  const { start, end } = range ?? new vscode.Range(0, 0, 0, 0);
  const params = {
    textDocument: { uri: uri.toString() },
    range: {
      start: { line: start.line, character: start.character },
      end: { line: end.line, character: end.character },
    },
    context: { diagnostics: [] },
  };
  const actions = await server.request<CodeAction[] | null>('textDocument/codeAction', params);
  return (actions ?? []).flatMap(({ title, kind = '', command }) =>
    command === undefined
      ? []
      : [
          {
            title,
            kind,
            command: command.command,
            argument: (command.arguments?.[0] ?? {}) as ServerAction['argument'],
          },
        ],
  );
}

/** The run a document means; which that is, is the server's to say. */
export async function findRunId(server: Server, uri: vscode.Uri): Promise<string | undefined> {
  return parseViewUri(uri)?.runId ?? runIdIn(await listActions(server, uri));
}

/** The run that a document's offers are about, but for those about a polish. */
function runIdIn(offers: readonly ServerAction[]): string | undefined {
  const opens = offers.find(
    ({ command, argument }) => command === 'writeit.view.open' && argument['view'] === 'run',
  );
  const runId = opens?.argument['runId'];
  return typeof runId === 'string' ? runId : undefined;
}

/** Whether the server has anything to say about a document. */
export function isWriteItDocument(document: vscode.TextDocument): boolean {
  return (
    document.languageId === 'markdown' && ['file', 'untitled', SCHEME].includes(document.uri.scheme)
  );
}

/** The document that is active; without one, as after a dialog in its place, one on the screen. */
export function currentDocument(): vscode.TextDocument | undefined {
  const { activeTextEditor, visibleTextEditors } = vscode.window;
  const editor =
    activeTextEditor ?? visibleTextEditors.find(({ document }) => isWriteItDocument(document));
  return editor?.document;
}

/** Follows what the writer looks at, for `when` clauses and the status bar. */
export class EditorContextTracker implements vscode.Disposable {
  readonly #server: Server;
  readonly #didChange = new vscode.EventEmitter<EditorContext>();
  readonly #subscriptions: vscode.Disposable;
  #current: EditorContext = {};
  #refreshing: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  readonly onDidChange = this.#didChange.event;

  constructor(server: Server) {
    this.#server = server;
    const soon = (): void => {
      this.#scheduleRefresh();
    };
    this.#subscriptions = vscode.Disposable.from(
      vscode.window.onDidChangeActiveTextEditor(soon),
      vscode.window.onDidChangeVisibleTextEditors(soon),
      server.onDidChangeState(soon),
      server.onDidChange(soon),
    );
    this.#scheduleRefresh();
  }

  get current(): EditorContext {
    return this.#current;
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#subscriptions.dispose();
    this.#didChange.dispose();
  }

  #scheduleRefresh(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.refresh();
    }, REFRESH_MS);
  }

  /** Look anew. Asked for while it looks, it looks once more, for all who asked. */
  refresh(): Promise<void> {
    if (this.#refreshing === undefined) {
      return this.#startRefresh();
    }
    this.#next ??= this.#refreshing.then(() => {
      this.#next = undefined;
      return this.#startRefresh();
    });
    return this.#next;
  }

  #startRefresh(): Promise<void> {
    this.#refreshing = this.#read().then((scene) => {
      this.#refreshing = undefined;
      this.#current = scene;
      setContextKeys(scene);
      this.#didChange.fire(scene);
    });
    return this.#refreshing;
  }

  async #read(): Promise<EditorContext> {
    const document = currentDocument();
    if (
      document === undefined ||
      !isWriteItDocument(document) ||
      this.#server.state !== 'running'
    ) {
      return {};
    }
    const { uri } = document;
    const view = parseViewUri(uri);
    const context = { uri, ...(view === undefined ? {} : { view }) };
    try {
      return { ...context, ...(await this.#readRun(uri, view)) };
    } catch (error) {
      // A view of a run that is gone, or a server that went away: there is no run here.
      if (refusalData(error) === undefined && !(error instanceof ServerNotRunning)) {
        log.warn('What this document is about is not known', error);
      }
      return context;
    }
  }

  async #readRun(
    uri: vscode.Uri,
    view: ViewAddress | undefined,
  ): Promise<Pick<EditorContext, 'run' | 'step' | 'actions'>> {
    const offered = await listActions(this.#server, uri);
    const runId = view?.runId ?? runIdIn(offered);
    if (runId === undefined) {
      return { actions: offered };
    }
    const run = await this.#server.execute('writeit.run.show', { runId });
    const step = run.steps[view?.step ?? run.currentStep];
    return { run, actions: offered, ...(step === undefined ? {} : { step }) };
  }
}

type ContextKeys = Readonly<Record<string, string | number | boolean>>;

/** What `when` clauses know of a scene, by their keys after `writeit.`. */
export function contextKeys({
  view,
  run,
  step,
  actions: offered = [],
}: EditorContext): ContextKeys {
  const isOffered = (name: string): boolean => offered.some(({ command }) => command === name);
  return {
    view: view?.view ?? '',
    ...runContextKeys(run),
    canAsk: isOffered('writeit.step.run'),
    canSkip: isOffered('writeit.step.skip'),
    canRestore: isOffered('writeit.edit.restore'),
    passages: step?.passages.length ?? 0,
  };
}

function setContextKeys(scene: EditorContext): void {
  for (const [key, value] of Object.entries(contextKeys(scene))) {
    void vscode.commands.executeCommand('setContext', `writeit.${key}`, value);
  }
}

const RUN_KEYS = [
  'hasRun',
  'canResume',
  'isBranch',
  'streaming',
  'hasText',
  'hasAnswers',
  'canChoose',
  'canRewind',
  'comparable',
];

function runContextKeys(run: PipelineRun | undefined): Record<string, string | boolean> {
  if (run === undefined) {
    return Object.fromEntries(RUN_KEYS.map((key) => [key, false]));
  }
  const steps = Object.values(run.steps);
  return {
    hasRun: true,
    canResume: run.can.resume,
    isBranch: run.parentPipelineRunId !== null,
    streaming: run.isStreaming,
    hasText: steps.some(({ can }) => can.apply),
    hasAnswers: steps.some(hasAnswers),
    canChoose: steps.some(canChange),
    canRewind: steps.some(isDone),
    comparable: steps.some(({ aiResponses }) => aiResponses.length > 1),
  };
}
