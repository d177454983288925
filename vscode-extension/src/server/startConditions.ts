import { createHash } from 'node:crypto';
import { access, readdir, readFile, realpath } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import * as vscode from 'vscode';
import { isWriteItDocument } from '../editorContext';
import { log } from '../log';
import { SCHEME } from '../pages/uris';

/** Whether WriteIt is used here: in an open folder or document. Elsewhere nothing is started. */
export async function isUsedHere(): Promise<boolean> {
  const tabs = vscode.window.tabGroups.all.flatMap((group) => group.tabs);
  if (vscode.workspace.textDocuments.some(isUsedIn) || tabs.some(isPage)) {
    return true;
  }
  const folders = (vscode.workspace.workspaceFolders ?? []).filter(
    ({ uri }) => uri.scheme === 'file',
  );
  const areUsed = await Promise.all(folders.map(({ uri }) => isUsedInFolder(uri.fsPath)));
  return areUsed.includes(true);
}

function isPage({ input }: vscode.Tab): boolean {
  return input instanceof vscode.TabInputCustom && input.uri.scheme === SCHEME;
}

const FRONT_MATTER = /^\uFEFF?\s*(?:---|\+\+\+|\{)/;
const KEY = /^[\s"'[]*writeit\b/m;
/** The front matter that a text may have, and no more of a long document. */
const HEAD = new vscode.Range(0, 0, 200, 0);

/** Whether a document is a page of WriteIt, or has a `writeit` block in its front matter. */
export function isUsedIn(document: vscode.TextDocument): boolean {
  if (document.uri.scheme === SCHEME) {
    return true;
  }
  const head = isWriteItDocument(document) ? document.getText(HEAD) : '';
  return FRONT_MATTER.test(head) && KEY.test(head);
}

async function isUsedInFolder(folder: string): Promise<boolean> {
  return (
    (await exists(join(folder, '.writeit'))) ||
    (await hasPipelines(join(folder, 'pipelines'))) ||
    (await hasHistoryElsewhere(folder))
  );
}

async function hasPipelines(folder: string): Promise<boolean> {
  const names = await readdir(folder).catch(() => []); // there is none
  return names.some((name) => /\.ya?ml$/.test(name));
}

/** Whether the server has created a run history of this folder outside of it. */
async function hasHistoryElsewhere(folder: string): Promise<boolean> {
  const notes = join(dataFolder(), 'known-stores');
  const files = (await readdir(notes).catch(() => [])).filter((name) => name.endsWith('.json'));
  const path = await realpath(folder);
  // As the server names it: `_unique_folder_name` of storage/location.py.
  const digest = createHash('sha256').update(path).digest('hex').slice(0, 12);
  const name = `${basename(path).slice(0, 80)}-${digest}`;
  const stores = await Promise.all(files.map((file) => storeFolder(join(notes, file))));
  return stores.some((store) => basename(dirname(store)) === name);
}

/** The folder of a run history that a note of the server names. */
async function storeFolder(note: string): Promise<string> {
  try {
    const { folder } = JSON.parse(await readFile(note, 'utf8')) as { readonly folder?: unknown };
    return typeof folder === 'string' ? folder : '';
  } catch (error) {
    log.warn(`Cannot read ${note}`, error);
    return '';
  }
}

/** The user's data folder, as the server finds it. */
function dataFolder(): string {
  const { WRITEIT_DATA_DIR, XDG_DATA_HOME, LOCALAPPDATA } = process.env;
  if (WRITEIT_DATA_DIR !== undefined) {
    return WRITEIT_DATA_DIR;
  }
  const home = homedir();
  switch (process.platform) {
    case 'darwin':
      return join(home, 'Library', 'Application Support', 'writeit');
    case 'win32':
      return join(LOCALAPPDATA ?? join(home, 'AppData', 'Local'), 'writeit');
    default:
      return join(XDG_DATA_HOME ?? join(home, '.local', 'share'), 'writeit');
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
