import * as vscode from 'vscode';

/** The workspace folder that contains a document, else the first; undefined if none is open. */
export function folderOf(uri?: vscode.Uri): string | undefined {
  const inside = uri && vscode.workspace.getWorkspaceFolder(uri);
  return (inside ?? vscode.workspace.workspaceFolders?.[0])?.uri.toString();
}

/** The workspace folder of the active document. */
export function currentFolder(): string | undefined {
  return folderOf(vscode.window.activeTextEditor?.document.uri);
}
