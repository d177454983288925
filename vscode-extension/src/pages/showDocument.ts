import * as vscode from 'vscode';
import { log } from '../log';
import { SCHEME } from './uris';

export interface ShowOptions {
  readonly focus?: boolean;
  readonly selection?: vscode.Range | undefined;
}

/** Show a document: the writer's own where they are, a view beside the article. */
export async function showDocument(
  uri: vscode.Uri,
  { focus = true, selection }: ShowOptions = {},
): Promise<vscode.TextEditor | undefined> {
  const viewColumn = visibleColumn(uri) ?? columnFor(uri);
  // Views take each other's place, unless the writer keeps one open.
  const preview = uri.scheme === SCHEME;
  const options = { viewColumn, preserveFocus: !focus, preview };
  try {
    const document = await vscode.workspace.openTextDocument(uri);
    return await vscode.window.showTextDocument(
      document,
      selection ? { ...options, selection } : options,
    );
  } catch (error) {
    log.warn(`${uri.toString()} cannot be shown`, error);
    return undefined;
  }
}

/** The column a document is already visible in. */
function visibleColumn(uri: vscode.Uri): vscode.ViewColumn | undefined {
  const wanted = uri.toString();
  const visible = vscode.window.visibleTextEditors;
  return visible.find((editor) => editor.document.uri.toString() === wanted)?.viewColumn;
}

/** Views share one column; the first opens beside the article. */
function columnFor(uri: vscode.Uri): vscode.ViewColumn {
  if (uri.scheme !== SCHEME) {
    return vscode.ViewColumn.Active;
  }
  const visible = vscode.window.visibleTextEditors.find(
    (editor) => editor.document.uri.scheme === SCHEME && editor.viewColumn !== undefined,
  );
  const { all, activeTabGroup: active } = vscode.window.tabGroups;
  const others = all.filter((group) => group !== active);
  // Where she opened a document in front of them, they change sides: no column is added.
  const behind = hasView(active) ? others.at(-1) : undefined;
  const group = others.find(hasView) ?? behind;
  return visible?.viewColumn ?? group?.viewColumn ?? vscode.ViewColumn.Beside;
}

function hasView({ tabs }: vscode.TabGroup): boolean {
  return tabs.some(
    ({ input }) => input instanceof vscode.TabInputText && input.uri.scheme === SCHEME,
  );
}

/** Two texts side by side; beside the document where she goes on typing in that. */
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
