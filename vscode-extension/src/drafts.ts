import * as vscode from 'vscode';

/** What an editable text will become: an answer's wording, or a step's merge. */
export interface Draft {
  readonly runId: string;
  readonly step: string;
  /** The answer it rewords; without one it is the merge. */
  readonly response?: number;
}

const KEY = 'writeit.drafts';

/**
 * Texts the writer edits before they are chosen. Views are read-only, so an editable text
 * opens as an untitled document; what it stands for is remembered here.
 */
export class Drafts implements vscode.Disposable {
  readonly #changed = new vscode.EventEmitter<void>();
  readonly #drafts = new Map<string, Draft>();
  readonly #closed = vscode.workspace.onDidCloseTextDocument(({ uri }) => {
    if (this.#drafts.delete(uri.toString())) {
      this.#tell();
    }
  });

  readonly onDidChange = this.#changed.event;

  async open(draft: Draft, content: string): Promise<vscode.TextEditor> {
    const document = await vscode.workspace.openTextDocument({ language: 'markdown', content });
    this.#drafts.set(document.uri.toString(), draft);
    this.#tell();
    return vscode.window.showTextDocument(document, { preview: false });
  }

  of(uri: vscode.Uri): Draft | undefined {
    return this.#drafts.get(uri.toString());
  }

  dispose(): void {
    this.#closed.dispose();
    this.#changed.dispose();
  }

  #tell(): void {
    void vscode.commands.executeCommand('setContext', KEY, [...this.#drafts.keys()]);
    this.#changed.fire();
  }
}
