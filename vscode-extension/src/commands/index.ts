import * as vscode from 'vscode';
import type { App } from '../app';
import { reportErrors } from '../showError';
import { isTreeNode, targetOf } from '../target';
import { STORE } from './store';
import { CONFLICT } from './conflict';
import { DOCUMENT } from './document';
import { LIBRARY } from './library';
import { TREE_COMMANDS } from './treeCommands';
import { MERGE } from './merge';
import { MODEL } from './model';
import { PREFERENCES } from './preferences';
import { RESPONSE } from './response';
import { RUN } from './run';
import { SERVER } from './server';
import { STEP } from './step';
import type { Handler, Handlers } from './handlers';

/** Every command of ours; their ids differ from the server's, which the client registers. */
export const COMMANDS: Handlers = {
  ...STORE,
  ...CONFLICT,
  ...DOCUMENT,
  ...LIBRARY,
  ...MERGE,
  ...MODEL,
  ...PREFERENCES,
  ...RESPONSE,
  ...RUN,
  ...SERVER,
  ...STEP,
};

export function registerCommands(app: App): vscode.Disposable {
  const run = (id: string, argument: unknown): Promise<unknown> =>
    reportErrors(() => findHandler(id)(app, argument), targetOf(argument));
  const anywhere = Object.keys(COMMANDS).map((id) =>
    // The title of a tree hands over the line that has the focus: it is not what was clicked.
    vscode.commands.registerCommand(`writeit.ui.${id}`, (argument: unknown) =>
      run(id, isTreeNode(argument) ? undefined : argument),
    ),
  );
  const onLines = TREE_COMMANDS.map((id) =>
    vscode.commands.registerCommand(`writeit.ui.line.${id}`, (line: unknown) =>
      isTreeNode(line) ? run(id, line) : warnListChanged(),
    ),
  );
  return vscode.Disposable.from(...anywhere, ...onLines);
}

function findHandler(id: string): Handler {
  const handler = COMMANDS[id];
  if (handler === undefined) {
    throw new RangeError(`there is no command ${id}`);
  }
  return handler;
}

/** VS Code forgets a line while it draws it anew; then nobody knows what was clicked. */
function warnListChanged(): Thenable<unknown> {
  void vscode.window.showWarningMessage(
    'WriteIt: the list changed under your click, so nothing was done. Click again.',
  );
  return Promise.resolve();
}
