import * as vscode from 'vscode';
import type { ViewSection } from './protocol';
import type { Readings } from './readings';
import { SCHEME } from './uris';

/** Under an answer that is coming a line says so. */
const LINES_UNDER = 2;

/**
 * Scrolls along with an answer that is coming, where the writer put her cursor at its end.
 * The cursor itself is never moved; as soon as she puts it elsewhere the page stands still.
 */
export function followAnswers(readings: Readings): vscode.Disposable {
  /** The answer that is followed, by page. */
  const followed = new Map<string, string>();
  return vscode.Disposable.from(
    vscode.window.onDidChangeTextEditorSelection(({ textEditor, selections, kind }) => {
      const { document } = textEditor;
      // Without a kind it was the growing text that moved it, not she.
      if (document.uri.scheme !== SCHEME || kind === undefined) {
        return;
      }
      const cursor = selections[0]?.active;
      const coming = comingIn(readings.sectionsOf(document) ?? []);
      const answer = coming.find((one) => cursor && isAtEnd(document, one, cursor));
      if (answer?.responseId == null) {
        followed.delete(document.uri.toString());
      } else {
        followed.set(document.uri.toString(), answer.responseId);
      }
    }),
    vscode.workspace.onDidChangeTextDocument(({ document }) => {
      const key = document.uri.toString();
      const sections = followed.has(key) ? readings.sectionsOf(document) : undefined;
      if (sections === undefined) {
        return;
      }
      const answer = comingIn(sections).find((one) => one.responseId === followed.get(key));
      if (answer === undefined) {
        followed.delete(key); // it ended
      } else {
        reveal(document, answer);
      }
    }),
  );
}

function comingIn(sections: readonly ViewSection[]): readonly ViewSection[] {
  return sections.filter(({ kind }) => kind === 'coming');
}

/** Whether the cursor is behind the last word, or on the lines under it. */
function isAtEnd(
  document: vscode.TextDocument,
  { firstLine, lastLine }: ViewSection,
  cursor: vscode.Position,
): boolean {
  const text = document.getText(new vscode.Range(firstLine, 0, lastLine + 1, 0)).trimEnd();
  const end = document.positionAt(
    document.offsetAt(new vscode.Position(firstLine, 0)) + text.length,
  );
  return cursor.isAfterOrEqual(end) && cursor.line <= lastLine + LINES_UNDER;
}

function reveal(document: vscode.TextDocument, { lastLine }: ViewSection): void {
  const under = document.validatePosition(new vscode.Position(lastLine + LINES_UNDER, 0));
  for (const editor of vscode.window.visibleTextEditors) {
    if (editor.document === document) {
      editor.revealRange(new vscode.Range(under, under));
    }
  }
}
