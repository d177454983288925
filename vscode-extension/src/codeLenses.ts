import * as vscode from 'vscode';
import { l10n } from 'vscode';
import type { App } from './app';
import type { ConflictLocation } from './commands/conflict';
import { markdownSelector } from './editorContext';
import { parseViewUri, SCHEME } from './pages/uris';
import { answerName } from './wording';

/**
 * Lenses beside the server's: for what other editors type into a page, which is read-only here,
 * and for conflicts, which only the extension tracks.
 */
export function registerLenses(app: App): vscode.Disposable {
  return vscode.Disposable.from(
    vscode.languages.registerCodeLensProvider(
      { scheme: SCHEME, language: 'markdown' },
      { provideCodeLenses: (document) => (isEnabled() ? stepLenses(app, document) : []) },
    ),
    vscode.languages.registerCodeLensProvider(markdownSelector('file', 'untitled'), {
      onDidChangeCodeLenses: app.conflicts.onDidChange,
      provideCodeLenses: (document) => (isEnabled() ? conflictLenses(app, document) : []),
    }),
    vscode.languages.registerCodeLensProvider(
      { scheme: 'untitled', language: 'markdown' },
      {
        onDidChangeCodeLenses: app.drafts.onDidChange,
        provideCodeLenses: (document) => draftLenses(app, document),
      },
    ),
  );
}

function isEnabled(): boolean {
  return vscode.workspace.getConfiguration('writeit').get('codeLens.enabled', true);
}

function stepLenses(app: App, document: vscode.TextDocument): vscode.CodeLens[] {
  const view = parseViewUri(document.uri);
  if (view?.view !== 'step') {
    return [];
  }
  const { runId, step } = view;
  return (app.pageCache.sectionsOf(document) ?? []).flatMap((section) => {
    const { kind, responseId, headingLine, firstLine } = section;
    if (kind === 'feedback') {
      return [lens(headingLine, l10n.t('Give feedback…'), 'step.feedback', { runId, step })];
    }
    if (kind !== 'answer' || responseId === null) {
      return [];
    }
    // The server's lenses are at the heading: VS Code would cut off one line with all of them.
    const target = { runId, step, responseId };
    return [
      lens(firstLine, l10n.t('Edit and choose…'), 'draft.edit', target),
      lens(firstLine, l10n.t('Choose with feedback…'), 'step.chooseWithFeedback', target),
      lens(firstLine, l10n.t('Rate…'), 'response.rate', target),
    ];
  });
}

function conflictLenses(app: App, { uri, lineCount }: vscode.TextDocument): vscode.CodeLens[] {
  return app.conflicts.all
    .filter((conflicts) => conflicts.uri === uri.toString())
    .flatMap(({ runId, hunks }) =>
      hunks.flatMap((hunk) => {
        const line = Math.min(hunk.line, lineCount - 1);
        const location: ConflictLocation = { runId, line: hunk.line };
        return [
          lens(line, l10n.t('Conflict: compare'), 'conflict.compare', location),
          lens(line, l10n.t('Use the new text'), 'conflict.take', location),
          lens(line, l10n.t('Keep my version'), 'conflict.keep', location),
        ];
      }),
    );
}

function draftLenses(app: App, document: vscode.TextDocument): vscode.CodeLens[] {
  const draft = app.drafts.get(document.uri);
  if (draft === undefined) {
    return [];
  }
  const use =
    draft.answer === undefined
      ? l10n.t('Use as merge')
      : l10n.t('Use as answer {0}', answerName(draft.answer));
  return [lens(0, use, 'draft.use'), lens(0, l10n.t('Discard'), 'draft.leave')];
}

function lens(line: number, title: string, command: string, target?: object): vscode.CodeLens {
  return new vscode.CodeLens(new vscode.Range(line, 0, line, 0), {
    title,
    command: `writeit.ui.${command}`,
    ...(target === undefined ? {} : { arguments: [target] }),
  });
}
