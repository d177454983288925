import * as vscode from 'vscode';
import type { AIResponse } from '../protocol';

/** What an editable text becomes: an edited answer, or the merge of a step. */
export interface Draft {
  readonly runId: string;
  readonly step: string;
  /** The edited answer; undefined for the merge. */
  readonly answer?: Pick<AIResponse, 'responseId' | 'number' | 'letter'>;
}

const CONTEXT_KEY = 'writeit.drafts';

/**
 * Texts that the user edits before choosing them. Pages are read-only, so a draft opens as an
 * untitled document; this remembers what it becomes.
 */
export class Drafts implements vscode.Disposable {
  readonly #didChange = new vscode.EventEmitter<void>();
  readonly #byUri = new Map<string, Draft>();
  readonly #subscription = vscode.workspace.onDidCloseTextDocument(({ uri }) => {
    if (this.#byUri.delete(uri.toString())) {
      this.#publish();
    }
  });

  readonly onDidChange = this.#didChange.event;

  async open(draft: Draft, content: string): Promise<vscode.TextEditor> {
    const document = await vscode.workspace.openTextDocument({ language: 'markdown', content });
    this.#byUri.set(document.uri.toString(), draft);
    this.#publish();
    return vscode.window.showTextDocument(document, { preview: false });
  }

  get(uri: vscode.Uri): Draft | undefined {
    return this.#byUri.get(uri.toString());
  }

  dispose(): void {
    this.#subscription.dispose();
    this.#didChange.dispose();
  }

  #publish(): void {
    void vscode.commands.executeCommand('setContext', CONTEXT_KEY, [...this.#byUri.keys()]);
    this.#didChange.fire();
  }
}
