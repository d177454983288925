import * as vscode from 'vscode';
import { l10n } from 'vscode';
import { DelayedWork } from '../delayedWork';
import { describeError } from '../errors';

export interface LiveDocumentsOptions {
  readonly scheme: string;
  /** Milliseconds between a change and the next read. */
  readonly delayMs: number;
  readonly readText: (uri: vscode.Uri) => Promise<string>;
}

/** Read-only documents of one URI scheme, which are read again when their content changes. */
export class LiveDocuments implements vscode.TextDocumentContentProvider, vscode.Disposable {
  readonly #options: LiveDocumentsOptions;
  readonly #didChange = new vscode.EventEmitter<vscode.Uri>();
  readonly #refreshes: DelayedWork;
  readonly #registration: vscode.Disposable;

  readonly onDidChange = this.#didChange.event;

  constructor(options: LiveDocumentsOptions) {
    this.#options = options;
    this.#refreshes = new DelayedWork(options.delayMs, (uri) => {
      this.#didChange.fire(vscode.Uri.parse(uri));
    });
    this.#registration = vscode.workspace.registerTextDocumentContentProvider(options.scheme, this);
  }

  async provideTextDocumentContent(uri: vscode.Uri): Promise<string> {
    try {
      return await this.#options.readText(uri);
    } catch (error) {
      return l10n.t('# This page cannot be shown\n\n{0}\n', describeError(error));
    }
  }

  /** Read open documents again, those that `isAffected` selects. */
  refresh(isAffected: (uri: vscode.Uri) => boolean): void {
    for (const { uri } of vscode.workspace.textDocuments) {
      if (uri.scheme === this.#options.scheme && isAffected(uri)) {
        this.#refreshes.schedule(uri.toString());
      }
    }
  }

  dispose(): void {
    this.#registration.dispose();
    this.#refreshes.dispose();
    this.#didChange.dispose();
  }
}
