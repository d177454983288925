import type * as vscode from 'vscode';
import type { ViewReadResult, ViewSection } from '../protocol';

/** An editor may show a version that is this many reads old. */
const VERSIONS_KEPT = 4;

/** The latest versions of each page, because sections are valid only for the text they came with. */
export class PageCache {
  readonly #byUri = new Map<string, readonly ViewReadResult[]>();

  add(uri: vscode.Uri, page: ViewReadResult): void {
    const key = uri.toString();
    this.#byUri.set(key, [page, ...(this.#byUri.get(key) ?? [])].slice(0, VERSIONS_KEPT));
  }

  delete(uri: vscode.Uri): void {
    this.#byUri.delete(uri.toString());
  }

  /** The sections of a page as the editor shows it; undefined if that version is not known. */
  sectionsOf(document: vscode.TextDocument): readonly ViewSection[] | undefined {
    const shown = document.getText().replaceAll('\r\n', '\n');
    return this.#byUri.get(document.uri.toString())?.find(({ text }) => text === shown)?.sections;
  }
}

/** The lines of a section; empty if the page has none of this kind. */
export function sectionText({ text, sections }: ViewReadResult, kind: ViewSection['kind']): string {
  const section = sections.find((each) => each.kind === kind);
  return section === undefined ? '' : linesOf(text, section);
}

export function linesOf(text: string, { firstLine, lastLine }: ViewSection): string {
  return text
    .split(/\r?\n/)
    .slice(firstLine, lastLine + 1)
    .join('\n');
}
