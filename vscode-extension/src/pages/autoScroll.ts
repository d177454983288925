import * as vscode from 'vscode';
import type { ViewSection } from '../protocol';
import type { PageCache } from './pageCache';
import { SCHEME } from './uris';

/** Lines below a streaming answer: a blank line, and one that says that more is coming. */
const LINES_BELOW = 2;

/**
 * Scrolls along with a streaming answer while the cursor is at its end. The cursor is never
 * moved; when the user moves it elsewhere, the page stops scrolling.
 */
export function scrollWithAnswers(pageCache: PageCache): vscode.Disposable {
  /** The id of the answer to scroll with, by page. */
  const answers = new Map<string, string>();
  /** Pages whose sections were not known yet when the user placed the cursor. */
  const undecided = new Set<string>();

  function chooseAnswer({ document, selection }: vscode.TextEditor): void {
    const key = document.uri.toString();
    answers.delete(key);
    const sections = pageCache.sectionsOf(document);
    if (sections === undefined) {
      undecided.add(key);
      return;
    }
    undecided.delete(key);
    const answer = streamingSections(sections).find((section) =>
      isCursorAtEnd(document, section, selection.active),
    );
    if (answer?.responseId != null) {
      answers.set(key, answer.responseId);
    }
  }

  return vscode.Disposable.from(
    vscode.window.onDidChangeTextEditorSelection(({ textEditor, kind }) => {
      const { uri } = textEditor.document;
      // Without a kind it was the growing text that moved the cursor, not the user.
      const isUserChange = kind !== undefined || undecided.has(uri.toString());
      if (uri.scheme === SCHEME && isUserChange) {
        chooseAnswer(textEditor);
      }
    }),
    vscode.workspace.onDidChangeTextDocument(({ document }) => {
      const key = document.uri.toString();
      const sections = answers.has(key) ? pageCache.sectionsOf(document) : undefined;
      if (sections === undefined) {
        return;
      }
      const answer = streamingSections(sections).find(
        ({ responseId }) => responseId === answers.get(key),
      );
      if (answer === undefined) {
        answers.delete(key); // it is finished
      } else {
        revealEnd(document, answer);
      }
    }),
    vscode.workspace.onDidCloseTextDocument(({ uri }) => {
      answers.delete(uri.toString());
      undecided.delete(uri.toString());
    }),
  );
}

function streamingSections(sections: readonly ViewSection[]): readonly ViewSection[] {
  return sections.filter(({ kind }) => kind === 'coming');
}

/** Whether the cursor is after the last word of a section, or on the lines below it. */
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
  const below = document.validatePosition(new vscode.Position(lastLine + LINES_BELOW, 0));
  for (const editor of vscode.window.visibleTextEditors) {
    if (editor.document === document) {
      editor.revealRange(new vscode.Range(below, below));
    }
  }
}
