import * as vscode from 'vscode';
import { describeError } from '../errors';
import { diffHunks, type Hunk } from './diffHunks';
import { log } from '../log';
import { textBefore, readComparison } from './proposedDocument';
import type { Server } from '../server/server';

/** Her changes within it are looked at together. */
const REFRESH_MS = 250;
const MAX_TRIES = 40;

/** A text of which her own words kept some places out: she and it changed the same ones. */
export interface DocumentConflicts {
  readonly runId: string;
  readonly step: string;
  readonly uri: string;
  /** Where, and what both have there; in lines of the document. */
  readonly hunks: readonly Hunk[];
}

type AppliedText = Omit<DocumentConflicts, 'hunks'>;

/**
 * Where her words stayed and a text has others, until that is settled: the places are alike,
 * she said that hers are right, the text was taken out, or the document was closed.
 */
export class ConflictTracker implements vscode.Disposable {
  readonly #server: Server;
  readonly #didChange = new vscode.EventEmitter<void>();
  readonly #subscriptions: vscode.Disposable;
  readonly #all = new Map<string, DocumentConflicts>();
  readonly #timers = new Map<string, NodeJS.Timeout>();

  readonly onDidChange = this.#didChange.event;

  constructor(server: Server) {
    this.#server = server;
    this.#subscriptions = vscode.Disposable.from(
      vscode.workspace.onDidChangeTextDocument(({ document }) => {
        this.#scheduleUpdate(document.uri.toString());
      }),
      // By tabs: VS Code keeps a document for minutes after she closed it.
      vscode.window.tabGroups.onDidChangeTabs(({ closed }) => {
        const gone = closed
          .map(editableUri)
          .filter((uri) => uri !== undefined && !isOpenInTab(uri));
        this.clear(({ uri }) => gone.includes(uri));
      }),
    );
  }

  get all(): readonly DocumentConflicts[] {
    return [...this.#all.values()];
  }

  /** Find out where a text and her words differ, and say so from now on. */
  async track(about: AppliedText): Promise<void> {
    const places = await this.#findHunks(about);
    if (places !== undefined && places.length > 0) {
      this.#all.set(about.runId, { ...about, hunks: places });
      this.#publish();
    }
  }

  /** Her words are right: in one place, or in all of them. */
  keepUserText(runId: string, line?: number): void {
    const contest = this.#all.get(runId);
    if (contest !== undefined) {
      const rest = contest.hunks.filter((place) => line !== undefined && place.line !== line);
      this.#setHunks(contest, rest);
    }
  }

  clear(which: (contest: DocumentConflicts) => boolean): void {
    for (const contest of this.all.filter(which)) {
      this.#setHunks(contest, []);
    }
  }

  dispose(): void {
    for (const timer of this.#timers.values()) {
      clearTimeout(timer);
    }
    this.#subscriptions.dispose();
    this.#didChange.dispose();
  }

  #scheduleUpdate(uri: string): void {
    if (this.#timers.has(uri) || !this.all.some((contest) => contest.uri === uri)) {
      return;
    }
    const timer = setTimeout(() => {
      this.#timers.delete(uri);
      for (const contest of this.all.filter((one) => one.uri === uri)) {
        void this.#update(contest);
      }
    }, REFRESH_MS);
    this.#timers.set(uri, timer);
  }

  async #update(contest: DocumentConflicts): Promise<void> {
    const found = await this.#findHunks(contest);
    // While it was looked for she may have settled it, or some of it.
    const now = this.#all.get(contest.runId);
    if (found !== undefined && now !== undefined) {
      this.#setHunks(
        now,
        found.filter((hunk) => now.hunks.some((place) => isSameHunk(place, hunk))),
      );
    }
  }

  #setHunks(contest: DocumentConflicts, places: readonly Hunk[]): void {
    if (JSON.stringify(places) === JSON.stringify(contest.hunks)) {
      return;
    }
    if (places.length === 0) {
      this.#all.delete(contest.runId);
    } else {
      this.#all.set(contest.runId, { ...contest, hunks: places });
    }
    this.#publish();
  }

  /** Where they differ, as soon as she rests; undefined if nobody can say. */
  async #findHunks({ runId, step, uri }: AppliedText): Promise<readonly Hunk[] | undefined> {
    try {
      const document = await vscode.workspace.openTextDocument(vscode.Uri.parse(uri));
      for (let tries = 0; tries < MAX_TRIES && !document.isClosed; tries += 1) {
        const { left, right } = await readComparison(this.#server, runId, step);
        const ahead = textBefore(left, document.getText());
        if (ahead !== undefined) {
          return hunksInDocument(left, right, ahead);
        }
        await new Promise((resolve) => setTimeout(resolve, REFRESH_MS));
      }
      log.warn(`Where ${step} and ${uri} differ is not known: it changes all the time`);
    } catch (error) {
      log.warn(`Where ${step} and ${uri} differ is not known: ${describeError(error)}`);
    }
    return undefined;
  }

  #publish(): void {
    const some = this.#all.size > 0;
    void vscode.commands.executeCommand('setContext', 'writeit.hasConflicts', some);
    this.#didChange.fire();
  }
}

/** The document that a tab lets her change. */
function editableUri({ input }: vscode.Tab): string | undefined {
  if (input instanceof vscode.TabInputText) {
    return input.uri.toString();
  }
  return input instanceof vscode.TabInputTextDiff ? input.modified.toString() : undefined;
}

function isOpenInTab(uri: string): boolean {
  return vscode.window.tabGroups.all.some(({ tabs }) =>
    tabs.some((tab) => editableUri(tab) === uri),
  );
}

function hunksInDocument(left: string, right: string, ahead: string): Hunk[] {
  const before = ahead.split('\n').length - 1;
  return diffHunks(left.split('\n'), right.split('\n')).map((hunk) => ({
    ...hunk,
    line: hunk.line + before,
  }));
}

/** Whether it is still the same place: the text has the same words there, or she has. */
function isSameHunk(place: Hunk, hunk: Hunk): boolean {
  return (
    hunk.line === place.line ||
    haveCommonLine(hunk.proposedLines, place.proposedLines) ||
    (place.proposedLines.length === 0 && haveCommonLine(hunk.userLines, place.userLines))
  );
}

function haveCommonLine(some: readonly string[], others: readonly string[]): boolean {
  return some.some((line) => line.trim() !== '' && others.includes(line));
}
