import * as vscode from 'vscode';
import { l10n } from 'vscode';
import type { App } from './app';
import { currentFolder } from './folders';
import { log } from './log';
import { showDocument } from './pages/showDocument';
import type { SearchHit } from './protocol';
import { accepted } from './quickPicks';

interface HitItem extends vscode.QuickPickItem {
  readonly hit: SearchHit;
}

const TYPING_PAUSE_MS = 150;

/** A list that searches while the user types, at first the selection; it opens a hit. */
export async function searchRuns(app: App): Promise<unknown> {
  const list = vscode.window.createQuickPick<HitItem>();
  list.title = l10n.t('Search runs');
  list.placeholder = l10n.t('Words in prompts, answers, feedback and titles');
  let timer: NodeJS.Timeout | undefined;
  list.onDidChangeValue((text) => {
    clearTimeout(timer);
    timer = setTimeout(() => void showHits(app, list, text), TYPING_PAUSE_MS);
  });
  const accepting = accepted(list, () => list.selectedItems[0]?.hit);
  const editor = vscode.window.activeTextEditor;
  list.value = editor?.document.getText(editor.selection).split('\n', 1)[0] ?? '';
  const hit = await accepting;
  clearTimeout(timer);
  if (hit === undefined) {
    return undefined;
  }
  const selection = new vscode.Range(hit.line, 0, hit.line, 0);
  return showDocument(vscode.Uri.parse(hit.uri), { selection });
}

/** Show the hits of a text, unless the user has typed on meanwhile. */
async function showHits(app: App, list: vscode.QuickPick<HitItem>, text: string): Promise<void> {
  list.busy = true;
  try {
    // The last word may be incomplete.
    const params = {
      folder: currentFolder(),
      text: /[\p{L}\p{N}]$/u.test(text) ? `${text}*` : text,
    };
    let page = await app.server.execute('writeit.search', params);
    while (page.hits.length === 0 && page.next !== null && list.value === text) {
      page = await app.server.execute('writeit.search', { ...params, cursor: page.next });
    }
    if (list.value === text) {
      const first = l10n.t('Search runs: the first {0} hits', page.hits.length);
      const title = page.next === null ? l10n.t('Search runs') : first;
      list.title = page.partial ? l10n.t('Search runs (still indexing)') : title;
      list.items = page.hits.map((hit) => ({
        label: hit.excerpt,
        description: [hit.title, hit.step, hit.in].filter(Boolean).join(' · '),
        alwaysShow: true,
        hit,
      }));
    }
  } catch (error) {
    log.warn('Cannot search', error);
    list.title = error instanceof Error ? error.message : String(error);
  } finally {
    list.busy = false;
  }
}
