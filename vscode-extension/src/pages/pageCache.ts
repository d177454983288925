import type * as vscode from 'vscode';
import type { ViewReadResult, ViewSection } from '../protocol';

/** The screen may be this far behind what was read last. */
const VERSIONS_KEPT = 4;

/** Pages as they were read: what stands where is told beside a text, and true of it alone. */
export class PageCache {
  readonly #byUri = new Map<string, readonly ViewReadResult[]>();

  add(uri: vscode.Uri, read: ViewReadResult): void {
    const key = uri.toString();
    this.#byUri.set(key, [read, ...(this.#byUri.get(key) ?? [])].slice(0, VERSIONS_KEPT));
  }

  delete(uri: vscode.Uri): void {
    this.#byUri.delete(uri.toString());
  }

  /** What stands where in a page as it is on the screen; undefined where that is not known. */
  sectionsOf(document: vscode.TextDocument): readonly ViewSection[] | undefined {
    const shown = document.getText().replaceAll('\r\n', '\n');
    return this.#byUri.get(document.uri.toString())?.find(({ text }) => text === shown)?.sections;
  }
}
