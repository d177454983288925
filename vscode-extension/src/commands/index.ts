import * as vscode from 'vscode';
import { l10n } from 'vscode';
import type { App } from '../app';
import { reportErrors } from '../showError';
import { isTreeNode, targetOf } from '../target';
import { STORE } from './store';
import { CHANGE } from './change';
import { CONFLICT } from './conflict';
import { DOCUMENT } from './document';
import { LIBRARY } from './library';
import { MERGE } from './merge';
import { MODEL } from './model';
import { PREFERENCES } from './preferences';
import { RESPONSE } from './response';
import { REWRITE } from './rewrite';
import { RUN } from './run';
import { SERVER } from './server';
import { STEP } from './step';
import type { Handler, Handlers } from './handlers';

/** All commands of the extension. The language client registers the server's, by other ids. */
export const COMMANDS: Handlers = {
  ...STORE,
  ...CHANGE,
  ...CONFLICT,
  ...DOCUMENT,
  ...LIBRARY,
  ...MERGE,
  ...MODEL,
  ...PREFERENCES,
  ...RESPONSE,
  ...REWRITE,
  ...RUN,
  ...SERVER,
  ...STEP,
};

/**
 * Commands in the menus of tree nodes, by their ids without `writeit.ui.line.`.
 *
 * They have ids of their own because without a node they do nothing, whereas a command of the
 * palette applies to what the user is looking at.
 */
const TREE_COMMANDS: readonly string[] = [
  'document.apply',
  'document.restore',
  'document.start',
  'draft.edit',
  'model.default',
  'model.install',
  'model.setKey',
  'primer.use',
  'response.compare',
  'response.rate',
  'run.activate',
  'run.branch',
  'run.delete',
  'run.diff',
  'run.diffParent',
  'run.export',
  'run.pause',
  'run.resume',
  'run.rewind',
  'step.choose',
  'step.chooseAndContinue',
  'step.chooseWithFeedback',
  'step.continue',
  'step.feedback',
  'step.preview',
  'step.regenerate',
  'step.run',
  'step.skip',
];

export function registerCommands(app: App): vscode.Disposable {
  const run = (id: string, argument: unknown): Promise<unknown> =>
    reportErrors(async () => {
      // Where WriteIt was never used, the first command starts it.
      const isReady = id.startsWith('server.') || (await app.start());
      return isReady ? findHandler(id)(app, argument) : undefined;
    }, targetOf(argument));
  const commands = Object.keys(COMMANDS).map((id) =>
    // The title bar of a tree passes the focused node, which the user did not click.
    vscode.commands.registerCommand(`writeit.ui.${id}`, (argument: unknown) =>
      run(id, isTreeNode(argument) ? undefined : argument),
    ),
  );
  const treeCommands = TREE_COMMANDS.map((id) =>
    vscode.commands.registerCommand(`writeit.ui.line.${id}`, (node: unknown) =>
      isTreeNode(node) ? run(id, node) : warnListChanged(),
    ),
  );
  return vscode.Disposable.from(...commands, ...treeCommands);
}

function findHandler(id: string): Handler {
  const handler = COMMANDS[id];
  if (handler === undefined) {
    throw new RangeError(`No command ${id}`);
  }
  return handler;
}

/** VS Code passes no node while it redraws a tree: what was clicked is not known. */
function warnListChanged(): Thenable<unknown> {
  void vscode.window.showWarningMessage(
    l10n.t('WriteIt: The list has changed, so nothing was done. Click again.'),
  );
  return Promise.resolve();
}
