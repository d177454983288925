import * as vscode from 'vscode';
import { l10n } from 'vscode';
import type { App } from '../app';
import { runCommand } from '../commandFlows';
import { inform } from '../followUps';
import type { DocumentChange } from '../protocol';
import type { Handlers } from './handlers';

type Verb = 'keep' | 'revert';

/** A change of the quick diff, as the editor passes it to the buttons of its peek. */
interface LineChange {
  readonly modifiedStartLineNumber: number;
  readonly modifiedEndLineNumber: number;
}

/** Commands on what an apply changed; the lenses run the server's commands. */
export const CHANGE: Handlers = {
  'change.next': (app) => moveTo(app, 1),
  'change.previous': (app) => moveTo(app, -1),
  'change.keep': (app) => decideAtCursor(app, 'keep'),
  'change.undo': (app) => decideAtCursor(app, 'revert'),
  'change.keepAll': (app) => decideAll(app, 'keep'),
  'change.undoAll': (app) => decideAll(app, 'revert'),
};

/** The buttons of the peek: they get the document, its changes and the one that is shown. */
export function registerPeekCommands(app: App): vscode.Disposable {
  const register = (id: string, verb: Verb): vscode.Disposable =>
    vscode.commands.registerCommand(
      id,
      async (uri: vscode.Uri, changes: readonly LineChange[], index: number) => {
        const shown = changes[index];
        const first = (shown?.modifiedStartLineNumber ?? 0) - 1;
        const last = (shown?.modifiedEndLineNumber ?? 0) - 1;
        const found = await app.changeReview.refresh(uri.toString());
        await decide(app, verb, uri, findChange(found, first, last));
      },
    );
  return vscode.Disposable.from(
    register('writeit.ui.peek.keep', 'keep'),
    register('writeit.ui.peek.undo', 'revert'),
  );
}

/** The first change that has one of these lines; removed text counts to the line after it. */
function findChange(
  changes: readonly DocumentChange[],
  first: number,
  last: number,
): DocumentChange | undefined {
  return changes.find(
    ({ firstLine, endLine }) =>
      firstLine <= Math.max(first, last) && first < Math.max(endLine, firstLine + 1),
  );
}

async function decide(
  app: App,
  verb: Verb,
  uri: vscode.Uri,
  change: DocumentChange | undefined,
): Promise<unknown> {
  if (change === undefined) {
    inform(l10n.t('There is no change here.'));
    return undefined;
  }
  const params = { uri: uri.toString(), change: change.change };
  return runCommand(app, `writeit.document.${verb}`, params);
}

async function decideAtCursor(app: App, verb: Verb): Promise<unknown> {
  const editor = vscode.window.activeTextEditor;
  if (editor === undefined) {
    return undefined;
  }
  const { uri } = editor.document;
  const found = await app.changeReview.refresh(uri.toString());
  const { line } = editor.selection.active;
  return decide(app, verb, uri, findChange(found, line, line));
}

async function decideAll(app: App, verb: Verb): Promise<unknown> {
  const uri = vscode.window.activeTextEditor?.document.uri.toString();
  return uri === undefined ? undefined : runCommand(app, `writeit.document.${verb}`, { uri });
}

/** Move the cursor to the next or previous change; after the last comes the first. */
async function moveTo(app: App, direction: 1 | -1): Promise<void> {
  const editor = vscode.window.activeTextEditor;
  if (editor === undefined) {
    return;
  }
  const found = await app.changeReview.refresh(editor.document.uri.toString());
  const lines = found.map(({ firstLine }) => Math.min(firstLine, editor.document.lineCount - 1));
  const { line } = editor.selection.active;
  const next =
    direction === 1
      ? (lines.find((each) => each > line) ?? lines[0])
      : (lines.findLast((each) => each < line) ?? lines.at(-1));
  if (next === undefined) {
    inform(l10n.t('There are no changes to review in this document.'));
    return;
  }
  const start = new vscode.Position(next, 0);
  editor.selection = new vscode.Selection(start, start);
  editor.revealRange(
    new vscode.Range(start, start),
    vscode.TextEditorRevealType.InCenterIfOutsideViewport,
  );
}
