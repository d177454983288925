import * as vscode from 'vscode';
import { l10n } from 'vscode';
import { withPrefix } from '../wording';

/** Documents whose last edit was refused, which the user was told. */
const refused = new Set<string>();

export function wasRefused(uri: string): boolean {
  return refused.has(uri);
}

/** Make an edit of the server, unless the document's file was deleted or is read-only. */
export async function editUnlessRefused<R>(
  uri: vscode.Uri,
  edit: () => Promise<R>,
): Promise<R | { readonly applied: boolean; readonly failureReason: string }> {
  const id = uri.toString();
  refused.delete(id);
  const document = vscode.workspace.textDocuments.find((each) => each.uri.toString() === id);
  if (document?.uri.scheme !== 'file') {
    return edit();
  }
  const path = vscode.workspace.asRelativePath(uri);
  let message = l10n.t('{0} was deleted, so nothing was inserted. Save it first.', path);
  // An edit would be saved, and a deleted file be there again.
  if ((await textOnDisk(uri)) !== undefined) {
    const [before, version] = [document.getText(), document.version];
    const result = await edit();
    const isSame = document.version === version;
    if (isSame || document.isDirty || (await textOnDisk(uri)) === document.getText()) {
      return result;
    }
    // VS Code lets extensions edit what is read-only, but neither saves it nor says so.
    const restoring = new vscode.WorkspaceEdit();
    restoring.replace(uri, new vscode.Range(0, 0, document.lineCount, 0), before);
    await vscode.workspace.applyEdit(restoring);
    message = l10n.t('{0} is read-only, so nothing was inserted.', path);
  }
  refused.add(id);
  void vscode.window.showWarningMessage(withPrefix(message));
  // "cancelled" tells the server not to try again; what was not inserted is offered again.
  return { applied: false, failureReason: `cancelled: ${message}` };
}

async function textOnDisk(uri: vscode.Uri): Promise<string | undefined> {
  try {
    return await vscode.workspace.decode(await vscode.workspace.fs.readFile(uri), { uri });
  } catch {
    return undefined;
  }
}
