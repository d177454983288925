import * as vscode from 'vscode';
import { wordsOf } from './errors';
import { hunks, type Hunk } from './hunks';
import { log } from './log';
import { aheadOf, sidesOf } from './proposed';
import type { Server } from './server/server';

/** Her changes within it are looked at together. */
const PAUSE_MS = 250;
const MOST_TRIES = 40;

/** A text of which her own words kept some places out: she and it changed the same ones. */
export interface Contest {
  readonly runId: string;
  readonly step: string;
  readonly uri: string;
  /** Where, and what both have there; in lines of the document. */
  readonly places: readonly Hunk[];
}

type About = Omit<Contest, 'places'>;

/**
 * Where her words stayed and a text has others, until that is settled: the places are alike,
 * she said that hers are right, the text was taken out, or the document was closed.
 */
export class Contests implements vscode.Disposable {
  readonly #server: Server;
  readonly #changed = new vscode.EventEmitter<void>();
  readonly #held: vscode.Disposable;
  readonly #all = new Map<string, Contest>();
  readonly #due = new Map<string, NodeJS.Timeout>();

  readonly onDidChange = this.#changed.event;

  constructor(server: Server) {
    this.#server = server;
    this.#held = vscode.Disposable.from(
      vscode.workspace.onDidChangeTextDocument(({ document }) => {
        this.#soon(document.uri.toString());
      }),
      // By tabs: VS Code keeps a document for minutes after she closed it.
      vscode.window.tabGroups.onDidChangeTabs(({ closed }) => {
        const gone = closed.map(shownIn).filter((uri) => uri !== undefined && !isShown(uri));
        this.settle(({ uri }) => gone.includes(uri));
      }),
    );
  }

  get all(): readonly Contest[] {
    return [...this.#all.values()];
  }

  /** Find out where a text and her words differ, and say so from now on. */
  async begin(about: About): Promise<void> {
    const places = await this.#places(about);
    if (places !== undefined && places.length > 0) {
      this.#all.set(about.runId, { ...about, places });
      this.#tell();
    }
  }

  /** Her words are right: in one place, or in all of them. */
  keep(runId: string, line?: number): void {
    const contest = this.#all.get(runId);
    if (contest !== undefined) {
      const rest = contest.places.filter((place) => line !== undefined && place.line !== line);
      this.#become(contest, rest);
    }
  }

  settle(which: (contest: Contest) => boolean): void {
    for (const contest of this.all.filter(which)) {
      this.#become(contest, []);
    }
  }

  dispose(): void {
    for (const timer of this.#due.values()) {
      clearTimeout(timer);
    }
    this.#held.dispose();
    this.#changed.dispose();
  }

  #soon(uri: string): void {
    if (this.#due.has(uri) || !this.all.some((contest) => contest.uri === uri)) {
      return;
    }
    const timer = setTimeout(() => {
      this.#due.delete(uri);
      for (const contest of this.all.filter((one) => one.uri === uri)) {
        void this.#look(contest);
      }
    }, PAUSE_MS);
    this.#due.set(uri, timer);
  }

  async #look(contest: Contest): Promise<void> {
    const found = await this.#places(contest);
    // While it was looked for she may have settled it, or some of it.
    const now = this.#all.get(contest.runId);
    if (found !== undefined && now !== undefined) {
      this.#become(
        now,
        found.filter((hunk) => now.places.some((place) => isSame(place, hunk))),
      );
    }
  }

  #become(contest: Contest, places: readonly Hunk[]): void {
    if (JSON.stringify(places) === JSON.stringify(contest.places)) {
      return;
    }
    if (places.length === 0) {
      this.#all.delete(contest.runId);
    } else {
      this.#all.set(contest.runId, { ...contest, places });
    }
    this.#tell();
  }

  /** Where they differ, as soon as she rests; undefined if nobody can say. */
  async #places({ runId, step, uri }: About): Promise<readonly Hunk[] | undefined> {
    try {
      const document = await vscode.workspace.openTextDocument(vscode.Uri.parse(uri));
      for (let tries = 0; tries < MOST_TRIES && !document.isClosed; tries += 1) {
        const { left, right } = await sidesOf(this.#server, runId, step);
        const ahead = aheadOf(left, document.getText());
        if (ahead !== undefined) {
          return apart(left, right, ahead);
        }
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
      log.warn(`Where ${step} and ${uri} differ is not known: it changes all the time`);
    } catch (error) {
      log.warn(`Where ${step} and ${uri} differ is not known: ${wordsOf(error)}`);
    }
    return undefined;
  }

  #tell(): void {
    const some = this.#all.size > 0;
    void vscode.commands.executeCommand('setContext', 'writeit.contested', some);
    this.#changed.fire();
  }
}

/** The document that a tab lets her change. */
function shownIn({ input }: vscode.Tab): string | undefined {
  if (input instanceof vscode.TabInputText) {
    return input.uri.toString();
  }
  return input instanceof vscode.TabInputTextDiff ? input.modified.toString() : undefined;
}

function isShown(uri: string): boolean {
  return vscode.window.tabGroups.all.some(({ tabs }) => tabs.some((tab) => shownIn(tab) === uri));
}

function apart(left: string, right: string, ahead: string): Hunk[] {
  const before = ahead.split('\n').length - 1;
  return hunks(left.split('\n'), right.split('\n')).map((hunk) => ({
    ...hunk,
    line: hunk.line + before,
  }));
}

/** Whether it is still the same place: the text has the same words there, or she has. */
function isSame(place: Hunk, hunk: Hunk): boolean {
  return (
    hunk.line === place.line ||
    shares(hunk.theirs, place.theirs) ||
    (place.theirs.length === 0 && shares(hunk.ours, place.ours))
  );
}

function shares(some: readonly string[], others: readonly string[]): boolean {
  return some.some((line) => line.trim() !== '' && others.includes(line));
}
