import * as vscode from 'vscode';
import type { App } from './app';
import { placeOf, SCHEME } from './uris';

const ANSWER = /^<!-- writeit:answer (\d+) ([0-9a-f-]+) -->$/;
const FEEDBACK = /^## Feedback$/;

/**
 * Lenses of ours beside the server's: what in other editors is typed right into the page,
 * which is read-only here.
 */
export function registerLenses(app: App): vscode.Disposable {
  return vscode.Disposable.from(
    vscode.languages.registerCodeLensProvider(
      { scheme: SCHEME, language: 'markdown' },
      { provideCodeLenses: (document) => (isEnabled() ? inStep(document) : []) },
    ),
    vscode.languages.registerCodeLensProvider(
      { scheme: 'untitled', language: 'markdown' },
      {
        onDidChangeCodeLenses: app.drafts.onDidChange,
        provideCodeLenses: (document) => inDraft(app, document),
      },
    ),
  );
}

function isEnabled(): boolean {
  return vscode.workspace.getConfiguration('writeit').get('codeLens.enabled', true);
}

function inStep(document: vscode.TextDocument): vscode.CodeLens[] {
  const place = placeOf(document.uri);
  if (place?.view !== 'step') {
    return [];
  }
  const { runId, step } = place;
  const lenses: vscode.CodeLens[] = [];
  for (let line = 0; line < document.lineCount; line += 1) {
    const { text } = document.lineAt(line);
    const number = ANSWER.exec(text)?.[1];
    if (number !== undefined) {
      const target = { runId, step, response: Number(number) - 1 };
      lenses.push(lens(line, 'Reword, then choose…', 'draft.edit', target));
      lenses.push(lens(line, 'Choose with feedback…', 'step.chooseWithFeedback', target));
      lenses.push(lens(line, 'Rate…', 'response.rate', target));
    } else if (FEEDBACK.test(text)) {
      lenses.push(lens(line, 'Give feedback…', 'step.feedback', { runId, step }));
    }
  }
  return lenses;
}

function inDraft(app: App, document: vscode.TextDocument): vscode.CodeLens[] {
  const draft = app.drafts.of(document.uri);
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
