import * as vscode from 'vscode';
import type { Target } from '../app';

export interface Look {
  readonly description?: string;
  readonly tooltip?: string;
  readonly icon?: string;
  /** What menus look at: `run`, `run.streaming`, `step`, `answer`, … */
  readonly kind?: string;
  readonly id?: string;
  readonly expanded?: boolean;
  readonly command?: vscode.Command;
  readonly target?: Target;
}

/** A line of a tree. Its state is in the words of its description; the icon repeats it. */
export class Node extends vscode.TreeItem {
  readonly target: Target;
  readonly children: (() => Promise<readonly Node[]>) | undefined;

  constructor(label: string, look: Look, children?: () => Promise<readonly Node[]>) {
    super(label, collapsible(look, children !== undefined));
    this.children = children;
    this.target = look.target ?? {};
    this.description = look.description ?? '';
    this.tooltip = look.tooltip ?? [label, look.description].filter(Boolean).join(': ');
    this.accessibilityInformation = { label: [label, look.description].filter(Boolean).join(', ') };
    if (look.icon !== undefined) {
      this.iconPath = new vscode.ThemeIcon(look.icon);
    }
    if (look.kind !== undefined) {
      this.contextValue = look.kind;
    }
    if (look.id !== undefined) {
      this.id = look.id;
    }
    if (look.command !== undefined) {
      this.command = look.command;
    }
  }
}

function collapsible({ expanded }: Look, hasChildren: boolean): vscode.TreeItemCollapsibleState {
  if (!hasChildren) {
    return vscode.TreeItemCollapsibleState.None;
  }
  return expanded === true
    ? vscode.TreeItemCollapsibleState.Expanded
    : vscode.TreeItemCollapsibleState.Collapsed;
}

/** Open a document when the line is clicked. */
export function opens(uri: vscode.Uri): vscode.Command {
  return { title: 'Open', command: 'writeit.ui.show', arguments: [uri] };
}
