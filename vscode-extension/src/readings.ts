import type * as vscode from 'vscode';
import type { ViewReadResult, ViewSection } from './protocol';

/** The screen may be this far behind what was read last. */
const KEPT = 4;

/** Pages as they were read: what stands where is told beside a text, and true of it alone. */
export class Readings {
  readonly #kept = new Map<string, readonly ViewReadResult[]>();

  keep(uri: vscode.Uri, read: ViewReadResult): void {
    const key = uri.toString();
    this.#kept.set(key, [read, ...(this.#kept.get(key) ?? [])].slice(0, KEPT));
  }

  forget(uri: vscode.Uri): void {
    this.#kept.delete(uri.toString());
  }

  /** What stands where in a page as it is on the screen; undefined where that is not known. */
  sectionsOf(document: vscode.TextDocument): readonly ViewSection[] | undefined {
    const shown = document.getText().replaceAll('\r\n', '\n');
    return this.#kept.get(document.uri.toString())?.find(({ text }) => text === shown)?.sections;
  }
}
