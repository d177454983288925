import * as vscode from 'vscode';
import { log } from '../log';
import { parseViewUri, SCHEME } from './uris';

/** The editor that shows pages to choose on, as `package.json` names it. */
export const DESK_VIEW = 'writeit.desk';

/** Views that this editor draws; all others are shown as text. */
const DESK_VIEWS: readonly string[] = ['step', 'run', 'compare'];

export interface ShowOptions {
  readonly focus?: boolean;
  /** Of a page, it is shown in its markdown. */
  readonly selection?: vscode.Range | undefined;
}

/** Show a document: the user's own in the active column, a page beside the document. */
export async function showDocument(
  uri: vscode.Uri,
  { focus = true, selection }: ShowOptions = {},
): Promise<boolean> {
  const viewColumn = openColumn(uri) ?? columnFor(uri);
  // Pages replace each other, unless the user keeps one open.
  const preview = uri.scheme === SCHEME;
  // A page that follows an act on another page of its run takes the focus of that page.
  const options = { viewColumn, preserveFocus: !focus && !isFollowing(uri), preview };
  try {
    if (isDeskPage(uri) && selection === undefined) {
      await vscode.commands.executeCommand('vscode.openWith', uri, DESK_VIEW, options);
    } else {
      const document = await vscode.workspace.openTextDocument(uri);
      const place = selection ? { ...options, selection } : options;
      await vscode.window.showTextDocument(document, place);
    }
    return true;
  } catch (error) {
    log.warn(`Cannot show ${uri.toString()}`, error);
    return false;
  }
}

/** Show the markdown of a page, by default of the active one. */
export async function showAsText(uri = activeDeskUri()): Promise<void> {
  if (uri !== undefined) {
    await vscode.commands.executeCommand('vscode.openWith', uri, 'default');
  }
}

/** Show the page of a text that is open as markdown, by default of the active one. */
export async function showAsPage(
  uri = vscode.window.activeTextEditor?.document.uri,
): Promise<void> {
  if (uri?.scheme === SCHEME) {
    await vscode.commands.executeCommand('vscode.openWith', uri, DESK_VIEW);
  }
}

/** Whether pages open in an editor of their own, with buttons and text fields. */
export function usesDesk(): boolean {
  return vscode.workspace.getConfiguration('writeit').get<string>('view', 'desk') === 'desk';
}

function isDeskPage(uri: vscode.Uri): boolean {
  const [, name = ''] = uri.path.split('/');
  return uri.scheme === SCHEME && usesDesk() && DESK_VIEWS.includes(name);
}

/** The page that the active tab shows in its own editor. */
export function activeDeskUri(): vscode.Uri | undefined {
  const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
  return input instanceof vscode.TabInputCustom && input.viewType === DESK_VIEW
    ? input.uri
    : undefined;
}

/** Whether the user is on a page of the same run, from which the other page follows. */
function isFollowing(uri: vscode.Uri): boolean {
  const active = activeDeskUri();
  const run = parseViewUri(uri)?.runId;
  return active !== undefined && run !== undefined && active.path.includes(run);
}

/** The column in which a document is visible, or a file is open. */
function openColumn(uri: vscode.Uri): vscode.ViewColumn | undefined {
  const wanted = uri.toString();
  const visible = vscode.window.visibleTextEditors;
  const hasFile = (tab: vscode.Tab): boolean => !isPage(tab) && uriOf(tab)?.toString() === wanted;
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
  const { all, activeTabGroup: active } = vscode.window.tabGroups;
  const shown = all.find(({ activeTab }) => activeTab !== undefined && isPage(activeTab));
  const others = all.filter((group) => group !== active);
  // If a document covers the pages, they move to the other column instead of adding one.
  const otherColumn = active.tabs.some(isPage) ? others.at(-1) : undefined;
  const group = shown ?? others.find(({ tabs }) => tabs.some(isPage)) ?? otherColumn;
  return group?.viewColumn ?? vscode.ViewColumn.Beside;
}

function isPage(tab: vscode.Tab): boolean {
  return uriOf(tab)?.scheme === SCHEME;
}

/** What a tab shows, as text or in an editor of its own. */
function uriOf({ input }: vscode.Tab): vscode.Uri | undefined {
  const hasUri = input instanceof vscode.TabInputText || input instanceof vscode.TabInputCustom;
  return hasUri ? input.uri : undefined;
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
