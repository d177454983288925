import * as vscode from 'vscode';

/** The open folder a document is in, else the first; undefined where none is open. */
export function folderOf(uri?: vscode.Uri): string | undefined {
  const inside = uri && vscode.workspace.getWorkspaceFolder(uri);
  return (inside ?? vscode.workspace.workspaceFolders?.[0])?.uri.toString();
}

/** The folder of what the writer looks at. */
export function currentFolder(): string | undefined {
  return folderOf(vscode.window.activeTextEditor?.document.uri);
}
