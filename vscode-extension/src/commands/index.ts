import * as vscode from 'vscode';
import type { App } from '../app';
import { telling } from '../complain';
import { targetOf } from '../here';
import { CARE } from './care';
import { DOCUMENT } from './document';
import { LIBRARY } from './library';
import { MERGE } from './merge';
import { MODEL } from './model';
import { PREFERENCES } from './preferences';
import { RESPONSE } from './response';
import { RUN } from './run';
import { SERVER } from './server';
import { STEP } from './step';
import type { Table } from './table';

/** Every command of ours; their ids differ from the server's, which the client registers. */
export const COMMANDS: Table = {
  ...CARE,
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
  const registered = Object.entries(COMMANDS).map(([id, handler]) =>
    vscode.commands.registerCommand(`writeit.ui.${id}`, (argument: unknown) =>
      telling(() => handler(app, argument), targetOf(argument)),
    ),
  );
  return vscode.Disposable.from(...registered);
}
