import type * as vscode from 'vscode';
import type { ConflictTracker } from './apply/conflicts';
import type { PendingApplies } from './apply/pendingApplies';
import type { EditorContextTracker } from './editorContext';
import type { Server } from './server/server';
import type { Drafts } from './pages/drafts';
import type { PageCache } from './pages/pageCache';

/** What every command is given. */
export interface App {
  readonly context: vscode.ExtensionContext;
  readonly server: Server;
  readonly editorContext: EditorContextTracker;
  readonly pendingApplies: PendingApplies;
  readonly conflicts: ConflictTracker;
  readonly drafts: Drafts;
  readonly pageCache: PageCache;
}

/** What the extension hands to its own tests. */
export interface Exports extends App {
  /** Milliseconds that activating took, without the server. */
  readonly activationMs: number;
}

/** What a command of a tree, a link or another extension may point at. */
export interface Target {
  readonly runId?: string;
  readonly step?: string;
  readonly responseId?: string;
  readonly response?: number;
}
