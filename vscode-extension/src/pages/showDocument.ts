import * as vscode from 'vscode';
import { log } from '../log';
import { SCHEME } from './uris';

export interface ShowOptions {
  readonly focus?: boolean;
  readonly selection?: vscode.Range | undefined;
}

/** Show a document: the user's own in the active column, a page beside the document. */
export async function showDocument(
  uri: vscode.Uri,
  { focus = true, selection }: ShowOptions = {},
): Promise<vscode.TextEditor | undefined> {
  const viewColumn = openColumn(uri) ?? columnFor(uri);
  // Pages replace each other, unless the user keeps one open.
  const preview = uri.scheme === SCHEME;
  const options = { viewColumn, preserveFocus: !focus, preview };
  try {
    const document = await vscode.workspace.openTextDocument(uri);
    return await vscode.window.showTextDocument(
      document,
      selection ? { ...options, selection } : options,
    );
  } catch (error) {
    log.warn(`Cannot show ${uri.toString()}`, error);
    return undefined;
  }
}

/** The column in which a document is visible, or a file is open. */
function openColumn(uri: vscode.Uri): vscode.ViewColumn | undefined {
  const wanted = uri.toString();
  const visible = vscode.window.visibleTextEditors;
  const hasFile = ({ input }: vscode.Tab): boolean =>
    input instanceof vscode.TabInputText &&
    input.uri.scheme !== SCHEME &&
    input.uri.toString() === wanted;
  return (
    visible.find((editor) => editor.document.uri.toString() === wanted)?.viewColumn ??
    vscode.window.tabGroups.all.find(({ tabs }) => tabs.some(hasFile))?.viewColumn
  );
}

/** Pages share one column; the first opens beside the document. */
function columnFor(uri: vscode.Uri): vscode.ViewColumn {
  if (uri.scheme !== SCHEME) {
    return vscode.ViewColumn.Active;
  }
  const visible = vscode.window.visibleTextEditors.find(
    (editor) => editor.document.uri.scheme === SCHEME && editor.viewColumn !== undefined,
  );
  const { all, activeTabGroup: active } = vscode.window.tabGroups;
  const others = all.filter((group) => group !== active);
  // If a document covers the pages, they move to the other column instead of adding one.
  const otherColumn = hasPage(active) ? others.at(-1) : undefined;
  const group = others.find(hasPage) ?? otherColumn;
  return visible?.viewColumn ?? group?.viewColumn ?? vscode.ViewColumn.Beside;
}

function hasPage({ tabs }: vscode.TabGroup): boolean {
  return tabs.some(
    ({ input }) => input instanceof vscode.TabInputText && input.uri.scheme === SCHEME,
  );
}

/** Show a diff; without focus it opens beside the document in which the user is typing. */
export async function showDiff(
  left: vscode.Uri,
  right: vscode.Uri,
  title: string,
  { focus = true }: ShowOptions = {},
): Promise<void> {
  const where = focus ? {} : { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true };
  const options = { preview: false, ...where };
  await vscode.commands.executeCommand('vscode.diff', left, right, title, options);
}
