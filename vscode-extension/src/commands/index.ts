import * as vscode from 'vscode';
import type { App } from '../app';
import { telling } from '../complain';
import { isLine, targetOf } from '../here';
import { CARE } from './care';
import { CONTEST } from './contest';
import { DOCUMENT } from './document';
import { LIBRARY } from './library';
import { ON_LINES } from './lines';
import { MERGE } from './merge';
import { MODEL } from './model';
import { PREFERENCES } from './preferences';
import { RESPONSE } from './response';
import { RUN } from './run';
import { SERVER } from './server';
import { STEP } from './step';
import type { Handler, Table } from './table';

/** Every command of ours; their ids differ from the server's, which the client registers. */
export const COMMANDS: Table = {
  ...CARE,
  ...CONTEST,
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
    telling(() => named(id)(app, argument), targetOf(argument));
  const anywhere = Object.keys(COMMANDS).map((id) =>
    // The title of a tree hands over the line that has the focus: it is not what was clicked.
    vscode.commands.registerCommand(`writeit.ui.${id}`, (argument: unknown) =>
      run(id, isLine(argument) ? undefined : argument),
    ),
  );
  const onLines = ON_LINES.map((id) =>
    vscode.commands.registerCommand(`writeit.ui.line.${id}`, (line: unknown) =>
      isLine(line) ? run(id, line) : lost(),
    ),
  );
  return vscode.Disposable.from(...anywhere, ...onLines);
}

function named(id: string): Handler {
  const handler = COMMANDS[id];
  if (handler === undefined) {
    throw new RangeError(`there is no command ${id}`);
  }
  return handler;
}

/** VS Code forgets a line while it draws it anew; then nobody knows what was clicked. */
function lost(): Thenable<unknown> {
  void vscode.window.showWarningMessage(
    'WriteIt: the list changed under your click, so nothing was done. Click again.',
  );
  return Promise.resolve();
}
