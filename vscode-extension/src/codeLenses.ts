import * as vscode from 'vscode';
import type { App } from './app';
import type { ConflictLocation } from './commands/conflict';
import { parseViewUri, SCHEME } from './pages/uris';

/**
 * Lenses of ours beside the server's: what in other editors is typed right into the page,
 * which is read-only here; and what only we know, of a text that met words of hers.
 */
export function registerLenses(app: App): vscode.Disposable {
  return vscode.Disposable.from(
    vscode.languages.registerCodeLensProvider(
      { scheme: SCHEME, language: 'markdown' },
      { provideCodeLenses: (document) => (isEnabled() ? stepLenses(app, document) : []) },
    ),
    vscode.languages.registerCodeLensProvider(
      ['file', 'untitled'].map((scheme) => ({ scheme, language: 'markdown' })),
      {
        onDidChangeCodeLenses: app.conflicts.onDidChange,
        provideCodeLenses: (document) => (isEnabled() ? conflictLenses(app, document) : []),
      },
    ),
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
  const place = parseViewUri(document.uri);
  if (place?.view !== 'step') {
    return [];
  }
  const { runId, step } = place;
  return (app.pageCache.sectionsOf(document) ?? []).flatMap((section) => {
    const { kind, index, headingLine, firstLine } = section;
    if (kind === 'feedback') {
      return [lens(headingLine, 'Give feedback…', 'step.feedback', { runId, step })];
    }
    if (kind !== 'answer' || index === null) {
      return [];
    }
    // Not in one line with the server's, which stand at the heading: VS Code would cut it off.
    const target = { runId, step, response: index };
    return [
      lens(firstLine, 'Reword, then choose…', 'draft.edit', target),
      lens(firstLine, 'Choose with feedback…', 'step.chooseWithFeedback', target),
      lens(firstLine, 'Rate…', 'response.rate', target),
    ];
  });
}

/** The server offers a text again that waits; of words that stayed it says no more. */
function conflictLenses(app: App, { uri, lineCount }: vscode.TextDocument): vscode.CodeLens[] {
  return app.conflicts.all
    .filter((contest) => contest.uri === uri.toString())
    .flatMap(({ runId, hunks: places }) =>
      places.flatMap((place) => {
        const line = Math.min(place.line, lineCount - 1);
        const spot: ConflictLocation = { runId, line: place.line };
        return [
          lens(line, 'Your words stayed: compare', 'conflict.compare', spot),
          lens(line, 'Take the others', 'conflict.take', spot),
          lens(line, 'Keep mine', 'conflict.keep', spot),
        ];
      }),
    );
}

function draftLenses(app: App, document: vscode.TextDocument): vscode.CodeLens[] {
  const draft = app.drafts.get(document.uri);
  if (draft === undefined) {
    return [];
  }
  const what =
    draft.response === undefined ? 'the merge' : `answer ${draft.response + 1}, reworded,`;
  return [
    lens(0, `Use this text as ${what} of ${draft.step}`, 'draft.use'),
    lens(0, 'Leave it', 'draft.leave'),
  ];
}

function lens(line: number, title: string, command: string, target?: object): vscode.CodeLens {
  return new vscode.CodeLens(new vscode.Range(line, 0, line, 0), {
    title,
    command: `writeit.ui.${command}`,
    ...(target === undefined ? {} : { arguments: [target] }),
  });
}
