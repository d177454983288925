import * as vscode from 'vscode';
import { l10n } from 'vscode';
import type { App } from '../app';
import { compareWithDocument, keepUserText } from '../apply/applyOutcome';
import type { DocumentConflicts } from '../apply/conflicts';
import type { Hunk } from '../apply/diffHunks';
import type { Handlers } from './handlers';

/** A conflict that a lens is about: its run, and its line in the document. */
export interface ConflictLocation {
  readonly runId: string;
  readonly line: number;
}

/** Commands of the lenses on conflicts; the palette has them in `document.settle`. */
export const CONFLICT: Handlers = {
  'conflict.compare': async (app, argument) => {
    const conflicts = findConflict(app, argument)?.conflicts;
    return conflicts && compareWithDocument(app, conflicts.runId, conflicts.step, conflicts.uri);
  },

  'conflict.take': async (app, argument) => {
    const { conflicts, hunk } = findConflict(app, argument) ?? {};
    const isReplaced = conflicts && hunk && (await applyProposed(conflicts.uri, hunk));
    if (isReplaced === true) {
      await keepUserText(app, conflicts.runId, hunk.line);
    } else {
      warnChanged();
    }
    return isReplaced;
  },

  'conflict.keep': (app, argument) => {
    const { runId, line } = argument as ConflictLocation;
    return keepUserText(app, runId, line);
  },
};

function findConflict(
  app: App,
  argument: unknown,
): { conflicts: DocumentConflicts; hunk?: Hunk } | undefined {
  const { runId, line } = argument as ConflictLocation;
  const conflicts = app.conflicts.all.find((candidate) => candidate.runId === runId);
  const hunk = conflicts?.hunks.find((candidate) => candidate.line === line);
  return conflicts && { conflicts, ...(hunk === undefined ? {} : { hunk }) };
}

/** Replace the user's lines by the proposed ones. False if the user's lines have changed. */
async function applyProposed(uri: string, hunk: Hunk): Promise<boolean> {
  const { line, userLines, proposedLines } = hunk;
  const document = await vscode.workspace.openTextDocument(vscode.Uri.parse(uri));
  if (userLines.some((text, index) => lineText(document, line + index) !== text)) {
    return false;
  }
  const end = line + userLines.length;
  const isAtEnd = end >= document.lineCount;
  const endPosition = isAtEnd
    ? document.lineAt(document.lineCount - 1).range.end
    : new vscode.Position(end, 0);
  const text = proposedLines.join('\n') + (isAtEnd || proposedLines.length === 0 ? '' : '\n');
  const edit = new vscode.WorkspaceEdit();
  edit.replace(document.uri, new vscode.Range(new vscode.Position(line, 0), endPosition), text);
  return vscode.workspace.applyEdit(edit);
}

function lineText(document: vscode.TextDocument, line: number): string | undefined {
  return line < document.lineCount ? document.lineAt(line).text : undefined;
}

function warnChanged(): void {
  void vscode.window.showWarningMessage(
    l10n.t('WriteIt: The passage has changed, so nothing was done. Click again.'),
  );
}
