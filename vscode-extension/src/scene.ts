import * as vscode from 'vscode';
import { NotRunning, type Server } from './server/server';
import { refusal } from './errors';
import { canChange, hasAnswers, isDone, isStreaming } from './fits';
import { log } from './log';
import type { PipelineRun, StepState } from './protocol';
import { placeOf, SCHEME, type Place } from './uris';

/** Changes within it are looked at together. */
const PAUSE_MS = 250;

/** What the writer is looking at: a document or a view, and the run it means. */
export interface Scene {
  readonly uri?: vscode.Uri;
  readonly place?: Place;
  readonly run?: PipelineRun;
  readonly step?: StepState;
  /** All that the server offers here. */
  readonly offered?: readonly Offer[];
}

/** One thing the server offers at a place. */
export interface Offer {
  readonly title: string;
  readonly kind: string;
  readonly command: string;
  readonly argument: Readonly<Record<string, unknown>>;
}

interface WireAction {
  readonly title: string;
  readonly kind?: string;
  readonly command?: { readonly command: string; readonly arguments?: readonly unknown[] };
}

/** Everything the server offers for a document and a selection in it. */
export async function offersAt(
  server: Server,
  uri: vscode.Uri,
  range?: vscode.Range,
): Promise<Offer[]> {
  const { start, end } = range ?? new vscode.Range(0, 0, 0, 0);
  const params = {
    textDocument: { uri: uri.toString() },
    range: {
      start: { line: start.line, character: start.character },
      end: { line: end.line, character: end.character },
    },
    context: { diagnostics: [] },
  };
  const actions = await server.request<WireAction[] | null>('textDocument/codeAction', params);
  return (actions ?? []).flatMap(({ title, kind = '', command }) =>
    command === undefined
      ? []
      : [
          {
            title,
            kind,
            command: command.command,
            argument: (command.arguments?.[0] ?? {}) as Offer['argument'],
          },
        ],
  );
}

/** The run a document means; which that is, is the server's to say. */
export async function runOf(server: Server, uri: vscode.Uri): Promise<string | undefined> {
  return placeOf(uri)?.runId ?? runIn(await offersAt(server, uri));
}

/** The run that a document's offers are about, but for those about a polish. */
function runIn(offers: readonly Offer[]): string | undefined {
  const opens = offers.find(
    ({ command, argument }) => command === 'writeit.view.open' && argument['view'] === 'run',
  );
  const runId = opens?.argument['runId'];
  return typeof runId === 'string' ? runId : undefined;
}

/** Whether the server has anything to say about a document. */
export function isOurs(document: vscode.TextDocument): boolean {
  return (
    document.languageId === 'markdown' && ['file', 'untitled', SCHEME].includes(document.uri.scheme)
  );
}

/** The document that is active; without one, as after a dialog in its place, one on the screen. */
export function lookedAt(): vscode.TextDocument | undefined {
  const { activeTextEditor, visibleTextEditors } = vscode.window;
  const editor = activeTextEditor ?? visibleTextEditors.find(({ document }) => isOurs(document));
  return editor?.document;
}

/** Follows what the writer looks at, for `when` clauses and the status bar. */
export class Scenes implements vscode.Disposable {
  readonly #server: Server;
  readonly #changed = new vscode.EventEmitter<Scene>();
  readonly #held: vscode.Disposable;
  #scene: Scene = {};
  #looking: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  readonly onDidChange = this.#changed.event;

  constructor(server: Server) {
    this.#server = server;
    const soon = (): void => {
      this.#soon();
    };
    this.#held = vscode.Disposable.from(
      vscode.window.onDidChangeActiveTextEditor(soon),
      vscode.window.onDidChangeVisibleTextEditors(soon),
      server.onDidChangeState(soon),
      server.onDidChange(soon),
    );
    this.#soon();
  }

  get now(): Scene {
    return this.#scene;
  }

  dispose(): void {
    clearTimeout(this.#timer);
    this.#held.dispose();
    this.#changed.dispose();
  }

  #soon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.refresh();
    }, PAUSE_MS);
  }

  /** Look anew. Asked for while it looks, it looks once more, for all who asked. */
  refresh(): Promise<void> {
    if (this.#looking === undefined) {
      return this.#begin();
    }
    this.#next ??= this.#looking.then(() => {
      this.#next = undefined;
      return this.#begin();
    });
    return this.#next;
  }

  #begin(): Promise<void> {
    this.#looking = this.#look().then((scene) => {
      this.#looking = undefined;
      this.#scene = scene;
      setContexts(scene);
      this.#changed.fire(scene);
    });
    return this.#looking;
  }

  async #look(): Promise<Scene> {
    const document = lookedAt();
    if (document === undefined || !isOurs(document) || this.#server.state !== 'running') {
      return {};
    }
    const { uri } = document;
    const place = placeOf(uri);
    const scene = { uri, ...(place === undefined ? {} : { place }) };
    try {
      return { ...scene, ...(await this.#runAt(uri, place)) };
    } catch (error) {
      // A view of a run that is gone, or a server that went away: there is no run here.
      if (refusal(error) === undefined && !(error instanceof NotRunning)) {
        log.warn('What this document is about is not known', error);
      }
      return scene;
    }
  }

  async #runAt(
    uri: vscode.Uri,
    place: Place | undefined,
  ): Promise<Pick<Scene, 'run' | 'step' | 'offered'>> {
    const offered = await offersAt(this.#server, uri);
    const runId = place?.runId ?? runIn(offered);
    if (runId === undefined) {
      return { offered };
    }
    const run = await this.#server.ask('writeit.run.show', { runId });
    const step = run.steps[place?.step ?? run.currentStep];
    return { run, offered, ...(step === undefined ? {} : { step }) };
  }
}

type Context = Readonly<Record<string, string | number | boolean>>;

/** What `when` clauses know of a scene, by their keys after `writeit.`. */
export function contextsOf({ place, run, step, offered = [] }: Scene): Context {
  const isOffered = (name: string): boolean => offered.some(({ command }) => command === name);
  return {
    view: place?.view ?? '',
    ...ofRun(run),
    canAsk: isOffered('writeit.step.run'),
    canSkip: isOffered('writeit.step.skip'),
    canRestore: isOffered('writeit.edit.restore'),
    stepStatus: step?.status ?? '',
    passages: step?.passages.length ?? 0,
  };
}

function setContexts(scene: Scene): void {
  for (const [key, value] of Object.entries(contextsOf(scene))) {
    void vscode.commands.executeCommand('setContext', `writeit.${key}`, value);
  }
}

const RUN_KEYS = [
  'hasRun',
  'runStatus',
  'isBranch',
  'streaming',
  'hasText',
  'hasAnswers',
  'canChoose',
  'canRewind',
  'comparable',
];

function ofRun(run: PipelineRun | undefined): Record<string, string | boolean> {
  if (run === undefined) {
    return Object.fromEntries(RUN_KEYS.map((key) => [key, false]));
  }
  const steps = Object.values(run.steps);
  return {
    hasRun: true,
    runStatus: run.status,
    isBranch: run.parentPipelineRunId !== null,
    streaming: isStreaming(run),
    hasText: steps.some(({ status }) => status === 'COMPLETED'),
    hasAnswers: steps.some(hasAnswers),
    canChoose: steps.some((step) => canChange(step, run)),
    canRewind: steps.some(isDone),
    comparable: steps.some(({ aiResponses }) => aiResponses.length > 1),
  };
}
