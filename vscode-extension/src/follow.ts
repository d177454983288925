import * as vscode from 'vscode';
import { SCHEME } from './uris';

const END = /^<!-- \/writeit:coming ([0-9a-f-]+) -->$/;

/**
 * Scrolls along with an answer that is coming, where the writer put her cursor at its end.
 * The cursor itself is never moved; as soon as she puts it elsewhere the page stands still.
 */
export function followAnswers(): vscode.Disposable {
  /** The answer that is followed, by page. */
  const followed = new Map<string, string>();
  return vscode.Disposable.from(
    vscode.window.onDidChangeTextEditorSelection(({ textEditor, selections, kind }) => {
      const { document } = textEditor;
      // Without a kind it was the growing text that moved it, not she.
      if (document.uri.scheme !== SCHEME || kind === undefined) {
        return;
      }
      const answer = selections[0] && answerEndingAt(document, selections[0].active);
      if (answer === undefined) {
        followed.delete(document.uri.toString());
      } else {
        followed.set(document.uri.toString(), answer);
      }
    }),
    vscode.workspace.onDidChangeTextDocument(({ document }) => {
      const answer = followed.get(document.uri.toString());
      const end = answer === undefined ? undefined : endOf(document, answer);
      if (answer !== undefined && end === undefined) {
        followed.delete(document.uri.toString()); // it ended
      }
      if (end !== undefined) {
        reveal(document, end);
      }
    }),
  );
}

function answerEndingAt(
  document: vscode.TextDocument,
  { line, character }: vscode.Position,
): string | undefined {
  const atEnd = character === document.lineAt(line).text.length;
  const next = line + 1 < document.lineCount ? document.lineAt(line + 1).text : '';
  return atEnd ? END.exec(next)?.[1] : undefined;
}

/** Where the text of an answer ends that is still coming. */
function endOf(document: vscode.TextDocument, answer: string): vscode.Position | undefined {
  for (let line = 1; line < document.lineCount; line += 1) {
    if (END.exec(document.lineAt(line).text)?.[1] === answer) {
      return document.lineAt(line - 1).range.end;
    }
  }
  return undefined;
}

function reveal(document: vscode.TextDocument, end: vscode.Position): void {
  for (const editor of vscode.window.visibleTextEditors) {
    if (editor.document === document) {
      editor.revealRange(new vscode.Range(end, end));
    }
  }
}
