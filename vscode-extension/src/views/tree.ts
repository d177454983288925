import * as vscode from 'vscode';
import type { App } from '../app';
import { wordsOf } from '../errors';
import { Node } from './node';

/** Lists the lines of one open folder; without a folder, of none. */
export type Lines = (app: App, folder: string | undefined, tree: Tree) => Promise<readonly Node[]>;

/**
 * A tree whose first lines come from the server; several folders are its first level.
 *
 * What VS Code draws anew it first forgets, with all that is under it, and a click in that
 * moment is on nothing. So lines stay the same objects as long as they are about the same, only
 * those that look different are drawn anew, and what is under them is at hand by then.
 */
export class Tree implements vscode.TreeDataProvider<Node>, vscode.Disposable {
  readonly #app: App;
  readonly #root: Node;
  readonly #changed = new vscode.EventEmitter<Node[] | undefined>();
  #queue: Promise<void> = Promise.resolve();

  readonly onDidChangeTreeData = this.#changed.event;

  constructor(app: App, lines: Lines) {
    this.#app = app;
    this.#root = new Node('', { id: '' }, () => this.#folders(lines));
  }

  getTreeItem(node: Node): Node {
    return node;
  }

  async getChildren(node: Node = this.#root): Promise<Node[]> {
    node.first ??= look(node).then((lines) => (node.lines = lines));
    await node.first;
    return [...(node.lines ?? [])];
  }

  /** Look anew, of runs only at those named, and draw what is different. */
  refresh(runs?: ReadonlySet<string>): Promise<void> {
    this.#queue = this.#queue.then(async () => {
      const known = new Set(runsUnder(this.#root).map(({ run }) => run));
      const isAbout = runs !== undefined && [...runs].every((run) => known.has(run));
      const drawn = await update(this.#root, isAbout ? concerned(this.#root, runs) : undefined);
      if (drawn.includes(this.#root)) {
        this.#changed.fire(undefined);
      } else if (drawn.length > 0) {
        this.#changed.fire([...drawn]);
      }
    });
    return this.#queue;
  }

  dispose(): void {
    this.#changed.dispose();
  }

  async #folders(lines: Lines): Promise<readonly Node[]> {
    if (this.#app.server.state !== 'running') {
      return []; // the view's welcome says why
    }
    const folders = vscode.workspace.workspaceFolders ?? [];
    if (folders.length > 1) {
      return folders.map(({ name, uri }) => {
        const folder = uri.toString();
        const face = { icon: 'folder', expanded: true, id: folder };
        return new Node(name, face, () => lines(this.#app, folder, this));
      });
    }
    return lines(this.#app, folders[0]?.uri.toString(), this);
  }
}

/** What is under a line now; never an error, which would leave the tree without words. */
async function look(node: Node): Promise<readonly Node[]> {
  try {
    return (await node.children?.()) ?? [];
  } catch (error) {
    const id = `${node.id}/error`;
    return [new Node('This cannot be listed', { id, description: wordsOf(error), icon: 'error' })];
  }
}

/** Bring what is under a line up to date, as far as it was unfolded; the lines to draw anew. */
async function update(node: Node, runs: ReadonlySet<string> | undefined): Promise<readonly Node[]> {
  if (node.first === undefined) {
    return [];
  }
  await node.first;
  const isPassedOver = runs !== undefined && node.run !== undefined && !runs.has(node.run);
  const drawn = isPassedOver ? [] : merge(node, await look(node));
  const lines = node.lines ?? [];
  const under = await Promise.all(lines.map((line) => update(line, runs)));
  return [...drawn, ...under.flat()];
}

/** Give it the newer lines, each the object it was before; what looks different then. */
function merge(node: Node, newer: readonly Node[]): readonly Node[] {
  const before = node.lines ?? [];
  const known = new Map(before.map((line) => [line.id, line]));
  const lines = newer.map((line) => known.get(line.id) ?? line);
  const differing = newer.flatMap((line) => {
    const same = known.get(line.id);
    return same?.become(line) === true ? [same] : [];
  });
  const isSameList =
    lines.length === before.length && lines.every((line, at) => line === before[at]);
  node.lines = lines;
  return isSameList ? differing : [node];
}

/** Lines of runs under a line, as far as it was unfolded. */
function runsUnder(node: Node): readonly Node[] {
  const under = node.lines?.flatMap(runsUnder) ?? [];
  return node.run === undefined ? under : [node, ...under];
}

/** Some runs, and those whose lines show them as their branches. */
function concerned(node: Node, runs: ReadonlySet<string>): ReadonlySet<string> {
  const around = runsUnder(node).filter((line) =>
    runsUnder(line).some(({ run = '' }) => runs.has(run)),
  );
  return new Set(around.map(({ run = '' }) => run));
}
