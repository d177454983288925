import * as vscode from 'vscode';
import { l10n } from 'vscode';
import type { App } from '../app';
import { runCommand } from '../commandFlows';
import { isWriteItDocument } from '../editorContext';
import { inform } from '../followUps';
import { SCHEME } from '../pages/uris';
import { accepted } from '../quickPicks';
import { toWireRange } from '../serverActions';
import type { Handlers } from './handlers';

/** The instructions of this workspace that were used last, the newest first. */
const RECENT_KEY = 'rewrite.instructions';
const MAX_RECENT = 8;
const PIPELINE = 'polish-passage';

/** Rewrite the selection, or the paragraph at the cursor, with one line of instructions. */
export const REWRITE: Handlers = {
  'document.rewrite': async (app) => {
    const editor = vscode.window.activeTextEditor;
    if (editor === undefined || !isWriteItDocument(editor.document)) {
      inform(l10n.t('Open a Markdown document first.'));
      return undefined;
    }
    const { document, selection } = editor;
    const range = selection.isEmpty ? paragraphAt(document, selection.active.line) : selection;
    if (document.uri.scheme === SCHEME || document.getText(range).trim() === '') {
      inform(l10n.t('Place the cursor in a paragraph of your text, or select a passage.'));
      return undefined;
    }
    const instruction = await askInstruction(app);
    if (instruction === undefined) {
      return undefined;
    }
    return runCommand(app, 'writeit.document.polish', {
      uri: document.uri.toString(),
      pipeline: PIPELINE,
      apply: true,
      range: toWireRange(range),
      ...(instruction === '' ? {} : { instruction }),
    });
  },
};

/** The lines around a line up to the next blank ones. */
function paragraphAt(document: vscode.TextDocument, line: number): vscode.Range {
  const isBlank = (index: number): boolean => document.lineAt(index).isEmptyOrWhitespace;
  let [first, last] = [line, line];
  while (first > 0 && !isBlank(line) && !isBlank(first - 1)) {
    first -= 1;
  }
  while (last < document.lineCount - 1 && !isBlank(line) && !isBlank(last + 1)) {
    last += 1;
  }
  return new vscode.Range(document.lineAt(first).range.start, document.lineAt(last).range.end);
}

/** What the user types, or one of the last instructions; empty for none, undefined if cancelled. */
async function askInstruction(app: App): Promise<string | undefined> {
  const recent = app.context.workspaceState.get<readonly string[]>(RECENT_KEY, []);
  const input = vscode.window.createQuickPick();
  input.title = l10n.t('Rewrite the passage');
  input.placeholder = l10n.t('What should be different? Enter alone improves the wording.');
  const show = (): void => {
    const first = input.value.trim() === '' ? l10n.t('Improve the wording') : input.value.trim();
    const others = recent.filter((words) => words !== first);
    input.items = [first, ...others].map((label) => ({ label, alwaysShow: true }));
  };
  show();
  input.onDidChangeValue(show);
  const words = await accepted(input, () => {
    const [chosen] = input.activeItems;
    // The item of an earlier value may still be active: only one of the last ones counts.
    const isRecent = chosen !== undefined && recent.includes(chosen.label);
    return isRecent ? chosen.label : input.value.trim();
  });
  if (words) {
    const used = [words, ...recent.filter((each) => each !== words)].slice(0, MAX_RECENT);
    void app.context.workspaceState.update(RECENT_KEY, used);
  }
  return words;
}
