import * as vscode from 'vscode';
import { DelayedWork } from '../delayedWork';
import { describeError } from '../errors';
import { log } from '../log';
import type { Server } from '../server/server';
import { diffHunks, type Hunk } from './diffHunks';
import { readComparison, textBefore } from './proposedDocuments';

const REFRESH_MS = 250;
const MAX_TRIES = 40;

/** A step's text that was applied to a document. */
interface AppliedText {
  readonly runId: string;
  readonly step: string;
  readonly uri: string;
}

/** Passages that both the user and the applied text changed; the user's version was kept. */
export interface DocumentConflicts extends AppliedText {
  readonly hunks: readonly Hunk[];
}

/**
 * The unresolved conflicts of all runs. A conflict ends when both texts are equal, the user keeps
 * their version, the text is restored, or the document is closed.
 */
export class ConflictTracker implements vscode.Disposable {
  readonly #server: Server;
  readonly #didChange = new vscode.EventEmitter<void>();
  readonly #subscriptions: vscode.Disposable;
  readonly #byRun = new Map<string, DocumentConflicts>();
  readonly #updates = new DelayedWork(REFRESH_MS, (uri) => {
    for (const conflicts of this.#ofDocument(uri)) {
      void this.#update(conflicts);
    }
  });

  readonly onDidChange = this.#didChange.event;

  constructor(server: Server) {
    this.#server = server;
    this.#subscriptions = vscode.Disposable.from(
      vscode.workspace.onDidChangeTextDocument(({ document }) => {
        const uri = document.uri.toString();
        if (this.#ofDocument(uri).length > 0) {
          this.#updates.schedule(uri);
        }
      }),
      // Tabs tell what the user closed: VS Code keeps the document for minutes.
      vscode.window.tabGroups.onDidChangeTabs(({ closed }) => {
        const uris = closed.map(editableUri).filter((uri) => uri !== undefined && !isOpen(uri));
        this.clear(({ uri }) => uris.includes(uri));
      }),
    );
  }

  get all(): readonly DocumentConflicts[] {
    return [...this.#byRun.values()];
  }

  /** Find the conflicts of an applied text and keep them up to date. */
  async track(applied: AppliedText): Promise<void> {
    const hunks = await this.#findHunks(applied);
    if (hunks !== undefined && hunks.length > 0) {
      this.#byRun.set(applied.runId, { ...applied, hunks });
      this.#publish();
    }
  }

  /** Resolve the conflict at a line, or all of a run, in favor of the user's version. */
  keepUserText(runId: string, line?: number): void {
    const conflicts = this.#byRun.get(runId);
    if (conflicts !== undefined) {
      const rest = conflicts.hunks.filter((hunk) => line !== undefined && hunk.line !== line);
      this.#setHunks(conflicts, rest);
    }
  }

  /** Forget the conflicts that `isObsolete` selects. */
  clear(isObsolete: (conflicts: DocumentConflicts) => boolean): void {
    for (const conflicts of this.all.filter(isObsolete)) {
      this.#setHunks(conflicts, []);
    }
  }

  dispose(): void {
    this.#updates.dispose();
    this.#subscriptions.dispose();
    this.#didChange.dispose();
  }

  #ofDocument(uri: string): readonly DocumentConflicts[] {
    return this.all.filter((conflicts) => conflicts.uri === uri);
  }

  async #update(before: DocumentConflicts): Promise<void> {
    const hunks = await this.#findHunks(before);
    // The user may have resolved some of them in the meantime.
    const current = this.#byRun.get(before.runId);
    if (hunks !== undefined && current !== undefined) {
      const isKnown = (hunk: Hunk): boolean => current.hunks.some((old) => isSameHunk(old, hunk));
      this.#setHunks(current, hunks.filter(isKnown));
    }
  }

  #setHunks(conflicts: DocumentConflicts, hunks: readonly Hunk[]): void {
    if (JSON.stringify(hunks) === JSON.stringify(conflicts.hunks)) {
      return;
    }
    if (hunks.length === 0) {
      this.#byRun.delete(conflicts.runId);
    } else {
      this.#byRun.set(conflicts.runId, { ...conflicts, hunks });
    }
    this.#publish();
  }

  /** The hunks, once the user pauses; undefined if they could not be determined. */
  async #findHunks({ runId, step, uri }: AppliedText): Promise<readonly Hunk[] | undefined> {
    try {
      const document = await vscode.workspace.openTextDocument(vscode.Uri.parse(uri));
      for (let tries = 0; tries < MAX_TRIES && !document.isClosed; tries += 1) {
        const { left, right } = await readComparison(this.#server, runId, step);
        const before = textBefore(left, document.getText());
        if (before !== undefined) {
          return hunksInDocument(left, right, before);
        }
        await new Promise((resolve) => setTimeout(resolve, REFRESH_MS));
      }
      log.warn(`Cannot compare ${step} with ${uri}: the document keeps changing`);
    } catch (error) {
      log.warn(`Cannot compare ${step} with ${uri}: ${describeError(error)}`);
    }
    return undefined;
  }

  #publish(): void {
    const hasConflicts = this.#byRun.size > 0;
    void vscode.commands.executeCommand('setContext', 'writeit.hasConflicts', hasConflicts);
    this.#didChange.fire();
  }
}

/** The document that a tab lets the user change. */
function editableUri({ input }: vscode.Tab): string | undefined {
  if (input instanceof vscode.TabInputText) {
    return input.uri.toString();
  }
  return input instanceof vscode.TabInputTextDiff ? input.modified.toString() : undefined;
}

function isOpen(uri: string): boolean {
  return vscode.window.tabGroups.all.some(({ tabs }) =>
    tabs.some((tab) => editableUri(tab) === uri),
  );
}

function hunksInDocument(left: string, right: string, before: string): Hunk[] {
  const linesBefore = before.split('\n').length - 1;
  return diffHunks(left.split('\n'), right.split('\n')).map((hunk) => ({
    ...hunk,
    line: hunk.line + linesBefore,
  }));
}

/** Whether a hunk is the one known before, which may have moved. */
function isSameHunk(before: Hunk, hunk: Hunk): boolean {
  return (
    hunk.line === before.line ||
    haveCommonLine(hunk.proposedLines, before.proposedLines) ||
    (before.proposedLines.length === 0 && haveCommonLine(hunk.userLines, before.userLines))
  );
}

function haveCommonLine(some: readonly string[], others: readonly string[]): boolean {
  return some.some((line) => line.trim() !== '' && others.includes(line));
}
