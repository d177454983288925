import * as vscode from 'vscode';

/** A text that waits for its document: kept by the server, to be applied again. */
export interface Waiting {
  readonly runId: string;
  readonly step?: string | null | undefined;
  readonly uri: string;
}

/** The texts that wait, by run. */
export class Pending implements vscode.Disposable {
  readonly #changed = new vscode.EventEmitter<void>();
  readonly #waiting = new Map<string, Waiting>();

  readonly onDidChange = this.#changed.event;

  get all(): readonly Waiting[] {
    return [...this.#waiting.values()];
  }

  add(waiting: Waiting): void {
    this.#waiting.set(waiting.runId, waiting);
    this.#tell();
  }

  drop(runId: string): void {
    if (this.#waiting.delete(runId)) {
      this.#tell();
    }
  }

  dispose(): void {
    this.#changed.dispose();
  }

  #tell(): void {
    void vscode.commands.executeCommand('setContext', 'writeit.pending', this.#waiting.size > 0);
    this.#changed.fire();
  }
}
