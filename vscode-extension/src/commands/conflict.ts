import * as vscode from 'vscode';
import type { App } from '../app';
import type { DocumentConflicts } from '../apply/conflicts';
import type { Hunk } from '../apply/diffHunks';
import { compareWithDocument, keepUserText } from '../apply/applyOutcome';
import type { Handlers } from './handlers';

/** What a lens on words that stayed points at: the run, and the line of its document. */
export interface ConflictLocation {
  readonly runId: string;
  readonly line: number;
}

/** Of the lenses on words that stayed; the palette has them under `document.settle`. */
export const CONFLICT: Handlers = {
  'conflict.compare': async (app, argument) => {
    const contest = findConflict(app, argument)?.contest;
    return contest && compareWithDocument(app, contest.runId, contest.step, contest.uri);
  },

  'conflict.take': async (app, argument) => {
    const { contest, place } = findConflict(app, argument) ?? {};
    const took = contest && place && (await applyProposed(contest.uri, place));
    if (took === true) {
      await keepUserText(app, contest.runId, place.line);
    } else {
      warnChanged();
    }
    return took;
  },

  'conflict.keep': (app, argument) => {
    const { runId, line } = argument as ConflictLocation;
    return keepUserText(app, runId, line);
  },
};

function findConflict(
  app: App,
  argument: unknown,
): { contest: DocumentConflicts; place?: Hunk } | undefined {
  const { runId, line } = argument as ConflictLocation;
  const contest = app.conflicts.all.find((one) => one.runId === runId);
  const place = contest?.hunks.find((one) => one.line === line);
  return contest && { contest, ...(place === undefined ? {} : { place }) };
}

/** Put the text's words where hers are, as one edit; not if hers are others by now. */
async function applyProposed(
  uri: string,
  { line, userLines: ours, proposedLines: theirs }: Hunk,
): Promise<boolean> {
  const document = await vscode.workspace.openTextDocument(vscode.Uri.parse(uri));
  const end = line + ours.length;
  const now = ours.map((_, index) => lineAt(document, line + index));
  if (now.some((text, index) => text !== ours[index])) {
    return false;
  }
  const edit = new vscode.WorkspaceEdit();
  const isLast = end >= document.lineCount;
  const after = isLast
    ? document.lineAt(document.lineCount - 1).range.end
    : new vscode.Position(end, 0);
  const words = theirs.map((text, index) =>
    isLast && index === theirs.length - 1 ? text : `${text}\n`,
  );
  edit.replace(document.uri, new vscode.Range(new vscode.Position(line, 0), after), words.join(''));
  return vscode.workspace.applyEdit(edit);
}

function lineAt(document: vscode.TextDocument, line: number): string | undefined {
  return line < document.lineCount ? document.lineAt(line).text : undefined;
}

function warnChanged(): void {
  void vscode.window.showWarningMessage(
    'WriteIt: the text changed under your click, so nothing was done. Click again.',
  );
}
