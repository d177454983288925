import type * as vscode from 'vscode';
import type { ChangeReview } from './apply/changeReview';
import type { ConflictTracker } from './apply/conflicts';
import type { PendingApplies } from './apply/pendingApplies';
import type { EditorContextTracker } from './editorContext';
import type { Drafts } from './pages/drafts';
import type { PageCache } from './pages/pageCache';
import type { RunStates } from './runStates';
import type { Server } from './server/server';

/** The services that every command gets. */
export interface App {
  readonly context: vscode.ExtensionContext;
  readonly server: Server;
  readonly editorContext: EditorContextTracker;
  readonly pendingApplies: PendingApplies;
  readonly changeReview: ChangeReview;
  readonly conflicts: ConflictTracker;
  readonly drafts: Drafts;
  readonly runStates: RunStates;
  readonly pageCache: PageCache;
  /** Start the server if it waits for the first command; whether it runs. */
  readonly start: () => Promise<boolean>;
}

/** What the extension exports to its own tests. */
export interface Exports extends App {
  /** Milliseconds that activation took, without the server. */
  readonly activationMs: number;
}

/** The run, step or answer that a command's argument names. */
export interface Target {
  readonly runId?: string;
  readonly step?: string;
  readonly responseId?: string;
}
