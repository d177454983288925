import * as vscode from 'vscode';
import type { App } from '../app';
import type { Contest } from '../contested';
import type { Hunk } from '../hunks';
import { compareWithDocument, keepHers } from '../landed';
import type { Table } from './table';

/** What a lens on words that stayed points at: the run, and the line of its document. */
export interface Spot {
  readonly runId: string;
  readonly line: number;
}

/** Of the lenses on words that stayed; the palette has them under `document.settle`. */
export const CONTEST: Table = {
  'contest.compare': async (app, argument) => {
    const contest = at(app, argument)?.contest;
    return contest && compareWithDocument(app, contest.runId, contest.step, contest.uri);
  },

  'contest.take': async (app, argument) => {
    const { contest, place } = at(app, argument) ?? {};
    const took = contest && place && (await take(contest.uri, place));
    if (took === true) {
      await keepHers(app, contest.runId, place.line);
    } else {
      lost();
    }
    return took;
  },

  'contest.keep': (app, argument) => {
    const { runId, line } = argument as Spot;
    return keepHers(app, runId, line);
  },
};

function at(app: App, argument: unknown): { contest: Contest; place?: Hunk } | undefined {
  const { runId, line } = argument as Spot;
  const contest = app.contests.all.find((one) => one.runId === runId);
  const place = contest?.places.find((one) => one.line === line);
  return contest && { contest, ...(place === undefined ? {} : { place }) };
}

/** Put the text's words where hers are, as one edit; not if hers are others by now. */
async function take(uri: string, { line, ours, theirs }: Hunk): Promise<boolean> {
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

function lost(): void {
  void vscode.window.showWarningMessage(
    'WriteIt: the text changed under your click, so nothing was done. Click again.',
  );
}
