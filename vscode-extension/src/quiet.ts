import * as vscode from 'vscode';
import { SCHEME } from './uris';

/** The lines that say where a text begins and ends: the server's, not the reader's. */
const MARKER = /^<!-- \/?writeit:.* -->$/;

/** Lets those lines step back: a page here is read, and never written into. */
export function quietMarkers(): vscode.Disposable {
  const look = vscode.window.createTextEditorDecorationType({ opacity: '0.35' });
  const draw = (editors: readonly vscode.TextEditor[]): void => {
    for (const editor of editors.filter(({ document }) => document.uri.scheme === SCHEME)) {
      editor.setDecorations(look, markersOf(editor.document));
    }
  };
  draw(vscode.window.visibleTextEditors);
  return vscode.Disposable.from(
    look,
    vscode.window.onDidChangeVisibleTextEditors(draw),
    vscode.workspace.onDidChangeTextDocument(({ document }) => {
      draw(vscode.window.visibleTextEditors.filter((editor) => editor.document === document));
    }),
  );
}

function markersOf(document: vscode.TextDocument): vscode.Range[] {
  const ranges: vscode.Range[] = [];
  for (let line = 0; line < document.lineCount; line += 1) {
    const { range, text } = document.lineAt(line);
    if (MARKER.test(text)) {
      ranges.push(range);
    }
  }
  return ranges;
}
