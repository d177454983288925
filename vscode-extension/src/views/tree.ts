import * as vscode from 'vscode';
import type { App } from '../app';
import { wordsOf } from '../errors';
import { Node } from './node';

/** Lists the lines of one open folder; without a folder, of none. */
export type Lines = (app: App, folder: string | undefined, tree: Tree) => Promise<readonly Node[]>;

/** A tree whose first lines come from the server; several folders are its first level. */
export class Tree implements vscode.TreeDataProvider<Node>, vscode.Disposable {
  readonly #app: App;
  readonly #lines: Lines;
  readonly #changed = new vscode.EventEmitter<Node | undefined>();

  readonly onDidChangeTreeData = this.#changed.event;

  constructor(app: App, lines: Lines) {
    this.#app = app;
    this.#lines = lines;
  }

  getTreeItem(node: Node): Node {
    return node;
  }

  async getChildren(node?: Node): Promise<Node[]> {
    return [...(await (node === undefined ? this.#roots() : (node.children?.() ?? [])))];
  }

  refresh(node?: Node): void {
    this.#changed.fire(node);
  }

  dispose(): void {
    this.#changed.dispose();
  }

  async #roots(): Promise<readonly Node[]> {
    if (this.#app.server.state !== 'running') {
      return []; // the view's welcome says why
    }
    const folders = vscode.workspace.workspaceFolders ?? [];
    if (folders.length > 1) {
      return folders.map(({ name, uri }) => {
        const look = { icon: 'folder', expanded: true, id: uri.toString() };
        return new Node(name, look, () => this.#of(uri.toString()));
      });
    }
    return this.#of(folders[0]?.uri.toString());
  }

  async #of(folder: string | undefined): Promise<readonly Node[]> {
    try {
      return await this.#lines(this.#app, folder, this);
    } catch (error) {
      return [new Node('This cannot be listed', { description: wordsOf(error), icon: 'error' })];
    }
  }
}
