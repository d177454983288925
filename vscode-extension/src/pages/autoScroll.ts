import * as vscode from 'vscode';
import type { ViewSection } from '../protocol';
import type { PageCache } from './pageCache';
import { SCHEME } from './uris';

/** Under an answer that is coming a line says so. */
const LINES_BELOW = 2;

/**
 * Scrolls along with an answer that is coming, where the writer put her cursor at its end.
 * The cursor itself is never moved; as soon as she puts it elsewhere the page stands still.
 */
export function scrollWithAnswers(readings: PageCache): vscode.Disposable {
  /** The answer that is followed, by page. */
  const followed = new Map<string, string>();
  /** Pages of which it was not known what stands where when she put her cursor in them. */
  const undecided = new Set<string>();

  function decide({ document, selection }: vscode.TextEditor): void {
    const key = document.uri.toString();
    followed.delete(key);
    const sections = readings.sectionsOf(document);
    if (sections === undefined) {
      undecided.add(key);
      return;
    }
    undecided.delete(key);
    const answer = streamingSections(sections).find((one) =>
      isCursorAtEnd(document, one, selection.active),
    );
    if (answer?.responseId != null) {
      followed.set(key, answer.responseId);
    }
  }

  return vscode.Disposable.from(
    vscode.window.onDidChangeTextEditorSelection(({ textEditor, kind }) => {
      const { uri } = textEditor.document;
      // Without a kind it was the growing text that took it along, not she.
      const byHer = kind !== undefined || undecided.has(uri.toString());
      if (uri.scheme === SCHEME && byHer) {
        decide(textEditor);
      }
    }),
    vscode.workspace.onDidChangeTextDocument(({ document }) => {
      const key = document.uri.toString();
      const sections = followed.has(key) ? readings.sectionsOf(document) : undefined;
      if (sections === undefined) {
        return;
      }
      const answer = streamingSections(sections).find(
        (one) => one.responseId === followed.get(key),
      );
      if (answer === undefined) {
        followed.delete(key); // it ended
      } else {
        revealEnd(document, answer);
      }
    }),
    vscode.workspace.onDidCloseTextDocument(({ uri }) => {
      followed.delete(uri.toString());
      undecided.delete(uri.toString());
    }),
  );
}

function streamingSections(sections: readonly ViewSection[]): readonly ViewSection[] {
  return sections.filter(({ kind }) => kind === 'coming');
}

/** Whether the cursor is behind the last word, or on the lines under it. */
function isCursorAtEnd(
  document: vscode.TextDocument,
  { firstLine, lastLine }: ViewSection,
  cursor: vscode.Position,
): boolean {
  const text = document.getText(new vscode.Range(firstLine, 0, lastLine + 1, 0)).trimEnd();
  const end = document.positionAt(
    document.offsetAt(new vscode.Position(firstLine, 0)) + text.length,
  );
  return cursor.isAfterOrEqual(end) && cursor.line <= lastLine + LINES_BELOW;
}

function revealEnd(document: vscode.TextDocument, { lastLine }: ViewSection): void {
  const under = document.validatePosition(new vscode.Position(lastLine + LINES_BELOW, 0));
  for (const editor of vscode.window.visibleTextEditors) {
    if (editor.document === document) {
      editor.revealRange(new vscode.Range(under, under));
    }
  }
}
