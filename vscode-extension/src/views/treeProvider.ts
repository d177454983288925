import * as vscode from 'vscode';
import type { App } from '../app';
import { describeError } from '../errors';
import { TreeNode } from './treeNode';

/** Lists the lines of one open folder; without a folder, of none. */
export type NodeLoader = (
  app: App,
  folder: string | undefined,
  tree: TreeProvider,
) => Promise<readonly TreeNode[]>;

/**
 * A tree whose first lines come from the server; several folders are its first level.
 *
 * What VS Code draws anew it first forgets, with all that is under it, and a click in that
 * moment is on nothing. So lines stay the same objects as long as they are about the same, only
 * those that look different are drawn anew, and what is under them is at hand by then.
 */
export class TreeProvider implements vscode.TreeDataProvider<TreeNode>, vscode.Disposable {
  readonly #app: App;
  readonly #root: TreeNode;
  readonly #didChange = new vscode.EventEmitter<TreeNode[] | undefined>();
  #queue: Promise<void> = Promise.resolve();

  readonly onDidChangeTreeData = this.#didChange.event;

  constructor(app: App, lines: NodeLoader) {
    this.#app = app;
    this.#root = new TreeNode('', { id: '' }, () => this.#loadRoot(lines));
  }

  getTreeItem(node: TreeNode): TreeNode {
    return node;
  }

  async getChildren(node: TreeNode = this.#root): Promise<TreeNode[]> {
    node.loading ??= loadChildren(node).then((lines) => (node.loadedChildren = lines));
    await node.loading;
    return [...(node.loadedChildren ?? [])];
  }

  /** Look anew, of runs only at those named, and draw what is different. */
  refresh(runs?: ReadonlySet<string>): Promise<void> {
    this.#queue = this.#queue.then(async () => {
      const known = new Set(runNodesUnder(this.#root).map(({ runId: run }) => run));
      const isAbout = runs !== undefined && [...runs].every((run) => known.has(run));
      const drawn = await updateChildren(
        this.#root,
        isAbout ? withAncestors(this.#root, runs) : undefined,
      );
      if (drawn.includes(this.#root)) {
        this.#didChange.fire(undefined);
      } else if (drawn.length > 0) {
        this.#didChange.fire([...drawn]);
      }
    });
    return this.#queue;
  }

  dispose(): void {
    this.#didChange.dispose();
  }

  async #loadRoot(lines: NodeLoader): Promise<readonly TreeNode[]> {
    if (this.#app.server.state !== 'running') {
      return []; // the view's welcome says why
    }
    const folders = vscode.workspace.workspaceFolders ?? [];
    if (folders.length > 1) {
      return folders.map(({ name, uri }) => {
        const folder = uri.toString();
        const face = { icon: 'folder', expanded: true, id: folder };
        return new TreeNode(name, face, () => lines(this.#app, folder, this));
      });
    }
    return lines(this.#app, folders[0]?.uri.toString(), this);
  }
}

/** What is under a line now; never an error, which would leave the tree without words. */
async function loadChildren(node: TreeNode): Promise<readonly TreeNode[]> {
  try {
    return (await node.children?.()) ?? [];
  } catch (error) {
    const id = `${node.id}/error`;
    return [
      new TreeNode('This cannot be listed', {
        id,
        description: describeError(error),
        icon: 'error',
      }),
    ];
  }
}

/** Bring what is under a line up to date, as far as it was unfolded; the lines to draw anew. */
async function updateChildren(
  node: TreeNode,
  runs: ReadonlySet<string> | undefined,
): Promise<readonly TreeNode[]> {
  if (node.loading === undefined) {
    return [];
  }
  await node.loading;
  const isPassedOver = runs !== undefined && node.runId !== undefined && !runs.has(node.runId);
  const drawn = isPassedOver ? [] : mergeChildren(node, await loadChildren(node));
  const lines = node.loadedChildren ?? [];
  const under = await Promise.all(lines.map((line) => updateChildren(line, runs)));
  return [...drawn, ...under.flat()];
}

/** Give it the newer lines, each the object it was before; what looks different then. */
function mergeChildren(node: TreeNode, newer: readonly TreeNode[]): readonly TreeNode[] {
  const before = node.loadedChildren ?? [];
  const known = new Map(before.map((line) => [line.id, line]));
  const lines = newer.map((line) => known.get(line.id) ?? line);
  const differing = newer.flatMap((line) => {
    const same = known.get(line.id);
    return same?.updateFrom(line) === true ? [same] : [];
  });
  const isSameList =
    lines.length === before.length && lines.every((line, at) => line === before[at]);
  node.loadedChildren = lines;
  return isSameList ? differing : [node];
}

/** Lines of runs under a line, as far as it was unfolded. */
function runNodesUnder(node: TreeNode): readonly TreeNode[] {
  const under = node.loadedChildren?.flatMap(runNodesUnder) ?? [];
  return node.runId === undefined ? under : [node, ...under];
}

/** Some runs, and those whose lines show them as their branches. */
function withAncestors(node: TreeNode, runs: ReadonlySet<string>): ReadonlySet<string> {
  const around = runNodesUnder(node).filter((line) =>
    runNodesUnder(line).some(({ runId: run = '' }) => runs.has(run)),
  );
  return new Set(around.map(({ runId: run = '' }) => run));
}
