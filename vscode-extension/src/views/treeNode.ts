import * as vscode from 'vscode';
import type { Target } from '../app';

export interface NodeOptions {
  /** What the line is about, for good: a line of the same id is the same line. */
  readonly id: string;
  readonly description?: string;
  readonly tooltip?: string;
  readonly icon?: string;
  /** What menus look at: `run`, `run.streaming`, `step`, `answer`, … */
  readonly contextValue?: string;
  readonly expanded?: boolean;
  readonly command?: vscode.Command;
  readonly target?: Target;
  /** The run whose lines are under it and have to be asked for. */
  readonly runId?: string;
}

/** A line of a tree. Its state is in the words of its description; the icon repeats it. */
export class TreeNode extends vscode.TreeItem {
  override readonly id: string;
  readonly target: Target;
  readonly runId: string | undefined;
  readonly children: (() => Promise<readonly TreeNode[]>) | undefined;
  /** What is under it, once it was unfolded and looked for. */
  loadedChildren: readonly TreeNode[] | undefined;
  /** That first look. */
  loading: Promise<readonly TreeNode[]> | undefined;
  /** All that is seen of it. */
  readonly appearance: string;

  constructor(label: string, look: NodeOptions, children?: () => Promise<readonly TreeNode[]>) {
    super(label, collapsibleState(look, children !== undefined));
    this.id = look.id;
    this.children = children;
    this.target = look.target ?? {};
    this.runId = look.runId;
    this.description = look.description ?? '';
    this.tooltip = look.tooltip ?? [label, look.description].filter(Boolean).join(': ');
    this.accessibilityInformation = { label: [label, look.description].filter(Boolean).join(', ') };
    this.appearance = JSON.stringify([label, look, children !== undefined]);
    if (look.icon !== undefined) {
      this.iconPath = new vscode.ThemeIcon(look.icon);
    }
    if (look.contextValue !== undefined) {
      this.contextValue = look.contextValue;
    }
    if (look.command !== undefined) {
      this.command = look.command;
    }
  }

  /** Stay the same line and say what a newer one says; whether it looks different then. */
  updateFrom(newer: TreeNode): boolean {
    const differs = newer.appearance !== this.appearance;
    for (const key of Object.keys(this)) {
      if (!Object.hasOwn(newer, key)) {
        Reflect.deleteProperty(this, key); // a command, an icon that it has no longer
      }
    }
    const { loadedChildren, loading } = this;
    Object.assign(this, newer, { loadedChildren, loading });
    return differs;
  }
}

function collapsibleState(
  { expanded }: NodeOptions,
  hasChildren: boolean,
): vscode.TreeItemCollapsibleState {
  if (!hasChildren) {
    return vscode.TreeItemCollapsibleState.None;
  }
  return expanded === true
    ? vscode.TreeItemCollapsibleState.Expanded
    : vscode.TreeItemCollapsibleState.Collapsed;
}

/** Open a document when the line is clicked. */
export function openCommand(uri: vscode.Uri): vscode.Command {
  return { title: 'Open', command: 'writeit.ui.show', arguments: [uri] };
}
