import * as vscode from 'vscode';
import { setContextKeys, setViewKey } from './contextKeys';
import { DelayedWork } from './delayedWork';
import { folderOf } from './folders';
import { activeDeskUri } from './pages/showDocument';
import { parseViewUri, SCHEME, type ViewAddress } from './pages/uris';
import type { PipelineRun, StepState } from './protocol';
import type { RunStates } from './runStates';
import { runIdIn, type ServerAction } from './serverActions';
import { valueOr, type Server } from './server/server';
import { dayLimit } from './settings';

const REFRESH_MS = 250;

/** What the user is looking at: a document or a view, and the run it belongs to. */
export interface EditorContext {
  readonly uri?: vscode.Uri;
  readonly view?: ViewAddress;
  readonly run?: PipelineRun;
  readonly step?: StepState;
  readonly actions?: readonly ServerAction[];
  /** What was spent today, if the user has set a limit for it. */
  readonly spent?: DayLimit;
}

export interface DayLimit {
  readonly todayUsd: number | null;
  readonly limitUsd: number;
}

const LANGUAGES: readonly string[] = ['markdown', 'markdown-math', 'mdx', 'quarto', 'rmd'];

/** Selects the Markdown documents with these schemes. */
export function markdownSelector(
  ...schemes: readonly string[]
): { scheme: string; language: string }[] {
  return schemes.flatMap((scheme) => LANGUAGES.map((language) => ({ scheme, language })));
}

/** Whether WriteIt works on a document: a Markdown document or a page of the server. */
export function isWriteItDocument(document: vscode.TextDocument): boolean {
  return (
    LANGUAGES.includes(document.languageId) &&
    ['file', 'untitled', SCHEME].includes(document.uri.scheme)
  );
}

/** The active document; while a dialog has taken its focus, a visible one. */
export function currentDocument(): vscode.TextDocument | undefined {
  const { activeTextEditor, visibleTextEditors } = vscode.window;
  const editor =
    activeTextEditor ?? visibleTextEditors.find(({ document }) => isWriteItDocument(document));
  return editor?.document;
}

/** What the user is looking at: a page of WriteIt, or a document that it works on. */
export function currentUri(): vscode.Uri | undefined {
  const document = currentDocument();
  const isOurs = document !== undefined && isWriteItDocument(document);
  return activeDeskUri() ?? (isOurs ? document.uri : undefined);
}

/** Keeps the editor context up to date, for `when` clauses and the status bar. */
export class EditorContextTracker implements vscode.Disposable {
  readonly #server: Server;
  readonly #runStates: RunStates;
  readonly #didChange = new vscode.EventEmitter<EditorContext>();
  readonly #subscriptions: vscode.Disposable;
  #current: EditorContext = {};
  #refreshing: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  readonly onDidChange = this.#didChange.event;

  constructor(server: Server, runStates: RunStates) {
    this.#server = server;
    this.#runStates = runStates;
    const refreshes = new DelayedWork(REFRESH_MS, () => void this.refresh());
    const schedule = (): void => {
      const uri = currentUri();
      setViewKey(uri && parseViewUri(uri));
      refreshes.schedule();
    };
    this.#subscriptions = vscode.Disposable.from(
      refreshes,
      vscode.window.onDidChangeActiveTextEditor(schedule),
      vscode.window.onDidChangeVisibleTextEditors(schedule),
      vscode.window.tabGroups.onDidChangeTabs(schedule),
      vscode.window.tabGroups.onDidChangeTabGroups(schedule),
      runStates.onDidChange(schedule),
    );
    schedule();
  }

  get current(): EditorContext {
    return this.#current;
  }

  dispose(): void {
    this.#subscriptions.dispose();
    this.#didChange.dispose();
  }

  /** Read the context again. Calls during a refresh share one further refresh. */
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
    this.#refreshing = this.#read().then((context) => {
      this.#refreshing = undefined;
      this.#current = context;
      setContextKeys(context);
      this.#didChange.fire(context);
    });
    return this.#refreshing;
  }

  async #read(): Promise<EditorContext> {
    const uri = currentUri();
    if (uri === undefined || this.#server.state !== 'running') {
      return {};
    }
    const view = parseViewUri(uri);
    const context = { uri, ...(view === undefined ? {} : { view }) };
    // A page of a deleted run, or a server that has stopped: there is no run to show.
    const found = await valueOr({}, this.#readRun(uri, view));
    return { ...context, ...found };
  }

  async #readRun(
    uri: vscode.Uri,
    view: ViewAddress | undefined,
  ): Promise<Pick<EditorContext, 'run' | 'step' | 'actions' | 'spent'>> {
    const actions = await this.#runStates.documentActions(uri);
    const runId = view?.runId ?? runIdIn(actions);
    if (runId === undefined) {
      return { actions };
    }
    const run = await this.#runStates.run(runId);
    const step = run.steps[view?.step ?? run.currentStep];
    const spent = await this.#readDayLimit(vscode.Uri.parse(run.uri ?? uri.toString()));
    return { run, actions, ...(step && { step }), ...(spent && { spent }) };
  }

  async #readDayLimit(uri: vscode.Uri): Promise<DayLimit | undefined> {
    const limitUsd = dayLimit(uri);
    if (limitUsd === undefined) {
      return undefined;
    }
    // The server's day is that of UTC.
    const since = `${new Date().toISOString().slice(0, 10)}T00:00:00Z`;
    const params = { folder: folderOf(uri), since };
    const { total } = await this.#server.execute('writeit.usage.show', params);
    return { todayUsd: total.costUsd, limitUsd };
  }
}
