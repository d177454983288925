import * as vscode from 'vscode';
import { l10n } from 'vscode';
import type { Target } from '../app';

export interface TreeNodeOptions {
  /** Identifies the node across refreshes. */
  readonly id: string;
  readonly description?: string;
  readonly tooltip?: string;
  readonly icon?: string;
  /** For `when` clauses of menus, such as `run`, `step` or `answer`. */
  readonly contextValue?: string;
  readonly expanded?: boolean;
  readonly command?: vscode.Command;
  readonly target?: Target;
  /** The run whose steps are the children, which are loaded from the server. */
  readonly runId?: string;
}

/** A node of a tree. The description says the state in words; the icon repeats it. */
export class TreeNode extends vscode.TreeItem {
  override readonly id: string;
  readonly target: Target;
  readonly runId: string | undefined;
  readonly children: (() => Promise<readonly TreeNode[]>) | undefined;
  /** The children, once the node was expanded. */
  loadedChildren: readonly TreeNode[] | undefined;
  /** The first load of the children. */
  loading: Promise<readonly TreeNode[]> | undefined;
  /** All that is visible of the node, for comparison. */
  readonly appearance: string;

  constructor(
    label: string,
    options: TreeNodeOptions,
    children?: () => Promise<readonly TreeNode[]>,
  ) {
    super(label, collapsibleState(options, children !== undefined));
    const { description } = options;
    this.id = options.id;
    this.children = children;
    this.target = options.target ?? {};
    this.runId = options.runId;
    this.description = description ?? '';
    this.tooltip = options.tooltip ?? [label, description].filter(Boolean).join(': ');
    this.accessibilityInformation = { label: [label, description].filter(Boolean).join(', ') };
    this.appearance = JSON.stringify([label, options, children !== undefined]);
    if (options.icon !== undefined) {
      this.iconPath = new vscode.ThemeIcon(options.icon);
    }
    if (options.contextValue !== undefined) {
      this.contextValue = options.contextValue;
    }
    if (options.command !== undefined) {
      this.command = options.command;
    }
  }

  /** Take over everything but the children from a newer node; whether it looks different. */
  updateFrom(newer: TreeNode): boolean {
    const isDifferent = newer.appearance !== this.appearance;
    for (const key of Object.keys(this)) {
      if (!Object.hasOwn(newer, key)) {
        Reflect.deleteProperty(this, key); // a command or an icon that it no longer has
      }
    }
    const { loadedChildren, loading } = this;
    Object.assign(this, newer, { loadedChildren, loading });
    return isDifferent;
  }
}

function collapsibleState(
  { expanded }: TreeNodeOptions,
  hasChildren: boolean,
): vscode.TreeItemCollapsibleState {
  if (!hasChildren) {
    return vscode.TreeItemCollapsibleState.None;
  }
  return expanded === true
    ? vscode.TreeItemCollapsibleState.Expanded
    : vscode.TreeItemCollapsibleState.Collapsed;
}

/** The command of a node that opens a document when it is clicked. */
export function openCommand(uri: vscode.Uri): vscode.Command {
  return { title: l10n.t('Open'), command: 'writeit.ui.show', arguments: [uri] };
}
