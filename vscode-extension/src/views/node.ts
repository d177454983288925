import * as vscode from 'vscode';
import type { Target } from '../app';

export interface Look {
  /** What the line is about, for good: a line of the same id is the same line. */
  readonly id: string;
  readonly description?: string;
  readonly tooltip?: string;
  readonly icon?: string;
  /** What menus look at: `run`, `run.streaming`, `step`, `answer`, … */
  readonly kind?: string;
  readonly expanded?: boolean;
  readonly command?: vscode.Command;
  readonly target?: Target;
  /** The run whose lines are under it and have to be asked for. */
  readonly run?: string;
}

/** A line of a tree. Its state is in the words of its description; the icon repeats it. */
export class Node extends vscode.TreeItem {
  override readonly id: string;
  readonly target: Target;
  readonly run: string | undefined;
  readonly children: (() => Promise<readonly Node[]>) | undefined;
  /** What is under it, once it was unfolded and looked for. */
  lines: readonly Node[] | undefined;
  /** That first look. */
  first: Promise<readonly Node[]> | undefined;
  /** All that is seen of it. */
  readonly face: string;

  constructor(label: string, look: Look, children?: () => Promise<readonly Node[]>) {
    super(label, collapsible(look, children !== undefined));
    this.id = look.id;
    this.children = children;
    this.target = look.target ?? {};
    this.run = look.run;
    this.description = look.description ?? '';
    this.tooltip = look.tooltip ?? [label, look.description].filter(Boolean).join(': ');
    this.accessibilityInformation = { label: [label, look.description].filter(Boolean).join(', ') };
    this.face = JSON.stringify([label, look, children !== undefined]);
    if (look.icon !== undefined) {
      this.iconPath = new vscode.ThemeIcon(look.icon);
    }
    if (look.kind !== undefined) {
      this.contextValue = look.kind;
    }
    if (look.command !== undefined) {
      this.command = look.command;
    }
  }

  /** Stay the same line and say what a newer one says; whether it looks different then. */
  become(newer: Node): boolean {
    const differs = newer.face !== this.face;
    for (const key of Object.keys(this)) {
      if (!Object.hasOwn(newer, key)) {
        Reflect.deleteProperty(this, key); // a command, an icon that it has no longer
      }
    }
    const { lines, first } = this;
    Object.assign(this, newer, { lines, first });
    return differs;
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
