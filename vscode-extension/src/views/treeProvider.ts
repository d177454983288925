import * as vscode from 'vscode';
import { l10n } from 'vscode';
import type { App } from '../app';
import { describeError } from '../errors';
import { TreeNode } from './treeNode';

/** Loads the nodes of one workspace folder; of no folder if none is open. */
export type NodeLoader = (
  app: App,
  folder: string | undefined,
  tree: TreeProvider,
) => Promise<readonly TreeNode[]>;

/**
 * A tree whose nodes come from the server; several workspace folders are its first level.
 *
 * VS Code forgets a node, and all its children, before it redraws it: a click in that moment is
 * lost. So a node stays the same object as long as it stands for the same thing, only nodes that
 * look different are redrawn, and their children are loaded before.
 */
export class TreeProvider implements vscode.TreeDataProvider<TreeNode>, vscode.Disposable {
  readonly #app: App;
  readonly #root: TreeNode;
  readonly #didChange = new vscode.EventEmitter<TreeNode[] | undefined>();
  #queue: Promise<void> = Promise.resolve();

  readonly onDidChangeTreeData = this.#didChange.event;

  constructor(app: App, load: NodeLoader) {
    this.#app = app;
    this.#root = new TreeNode('', { id: '' }, () => this.#loadRoot(load));
  }

  getTreeItem(node: TreeNode): TreeNode {
    return node;
  }

  async getChildren(node: TreeNode = this.#root): Promise<TreeNode[]> {
    node.loading ??= loadChildren(node).then((children) => (node.loadedChildren = children));
    await node.loading;
    return [...(node.loadedChildren ?? [])];
  }

  /** Load again, of runs only the named ones, and redraw what looks different. */
  refresh(runIds?: ReadonlySet<string>): Promise<void> {
    this.#queue = this.#queue.then(async () => {
      const known = new Set(runNodesUnder(this.#root).map(({ runId }) => runId));
      const areKnown = runIds !== undefined && [...runIds].every((runId) => known.has(runId));
      const affected = areKnown ? withAncestors(this.#root, runIds) : undefined;
      const changed = await updateChildren(this.#root, affected);
      if (changed.includes(this.#root)) {
        this.#didChange.fire(undefined);
      } else if (changed.length > 0) {
        this.#didChange.fire([...changed]);
      }
    });
    return this.#queue;
  }

  dispose(): void {
    this.#didChange.dispose();
  }

  async #loadRoot(load: NodeLoader): Promise<readonly TreeNode[]> {
    if (this.#app.server.state !== 'running') {
      return []; // the welcome view says why
    }
    const folders = vscode.workspace.workspaceFolders ?? [];
    if (folders.length > 1) {
      return folders.map(({ name, uri }) => {
        const folder = uri.toString();
        const options = { icon: 'folder', expanded: true, id: folder };
        return new TreeNode(name, options, () => load(this.#app, folder, this));
      });
    }
    return load(this.#app, folders[0]?.uri.toString(), this);
  }
}

/** Load the children of a node. An error becomes a node: VS Code would show an empty tree. */
async function loadChildren(node: TreeNode): Promise<readonly TreeNode[]> {
  try {
    return (await node.children?.()) ?? [];
  } catch (error) {
    const id = `${node.id}/error`;
    const description = describeError(error);
    return [new TreeNode(l10n.t('Cannot list this'), { id, description, icon: 'error' })];
  }
}

/** Load the children again, of expanded nodes only; returns the nodes to redraw. */
async function updateChildren(
  node: TreeNode,
  runIds: ReadonlySet<string> | undefined,
): Promise<readonly TreeNode[]> {
  if (node.loading === undefined) {
    return [];
  }
  await node.loading;
  const isUnaffected = runIds !== undefined && node.runId !== undefined && !runIds.has(node.runId);
  const changed = isUnaffected ? [] : mergeChildren(node, await loadChildren(node));
  const children = node.loadedChildren ?? [];
  const below = await Promise.all(children.map((child) => updateChildren(child, runIds)));
  return [...changed, ...below.flat()];
}

/** Replace the children, keeping the objects of known ones; returns the nodes to redraw. */
function mergeChildren(node: TreeNode, newer: readonly TreeNode[]): readonly TreeNode[] {
  const before = node.loadedChildren ?? [];
  const known = new Map(before.map((child) => [child.id, child]));
  const children = newer.map((child) => known.get(child.id) ?? child);
  const changed = newer.flatMap((child) => {
    const existing = known.get(child.id);
    return existing?.updateFrom(child) === true ? [existing] : [];
  });
  const isSameList =
    children.length === before.length && children.every((child, index) => child === before[index]);
  node.loadedChildren = children;
  return isSameList ? changed : [node];
}

/** The loaded nodes of runs at or below a node. */
function runNodesUnder(node: TreeNode): readonly TreeNode[] {
  const below = node.loadedChildren?.flatMap(runNodesUnder) ?? [];
  return node.runId === undefined ? below : [node, ...below];
}

/** Runs, and the runs whose nodes show them as branches. */
function withAncestors(node: TreeNode, runIds: ReadonlySet<string>): ReadonlySet<string> {
  const affected = runNodesUnder(node).filter((candidate) =>
    runNodesUnder(candidate).some(({ runId = '' }) => runIds.has(runId)),
  );
  return new Set(affected.map(({ runId = '' }) => runId));
}
