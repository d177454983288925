import type * as vscode from 'vscode';
import type { Contests } from './contested';
import type { Pending } from './pending';
import type { Scenes } from './scene';
import type { Server } from './server/server';
import type { Drafts } from './drafts';
import type { Readings } from './readings';

/** What every command is given. */
export interface App {
  readonly context: vscode.ExtensionContext;
  readonly server: Server;
  readonly scenes: Scenes;
  readonly pending: Pending;
  readonly contests: Contests;
  readonly drafts: Drafts;
  readonly readings: Readings;
}

/** What the extension hands to its own tests. */
export interface Exports extends App {
  /** Milliseconds that activating took, without the server. */
  readonly activation: number;
}

/** What a command of a tree, a link or another extension may point at. */
export interface Target {
  readonly runId?: string;
  readonly step?: string;
  readonly responseId?: string;
  readonly response?: number;
}
