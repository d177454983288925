import * as vscode from 'vscode';
import { isCancelled, refusalData, describeError, type RefusalData } from './errors';
import { log } from './log';
import type { Target } from './app';
import { ServerNotRunning } from './server/server';
import { withPrefix } from './wording';

interface ErrorAction {
  readonly title: string;
  readonly command: string;
  readonly argument?: unknown;
}

const SHOW_LOG = 'writeit.ui.server.log';

/** Tell the writer what went wrong, with what she can do about it. */
export async function showError(error: unknown, target: Target = {}): Promise<void> {
  if (isCancelled(error) || error instanceof vscode.CancellationError) {
    return;
  }
  log.error('Refused', error);
  const remedies = actionsForError(error, target);
  const titles = remedies.map(({ title }) => title);
  const chosen = await vscode.window.showErrorMessage(errorMessage(error), ...titles);
  const remedy = remedies.find(({ title }) => title === chosen);
  if (remedy !== undefined) {
    await vscode.commands.executeCommand(remedy.command, remedy.argument);
  }
}

/** What is said of an error. The server's hint names commands; where buttons do them, they say it. */
export function errorMessage(error: unknown): string {
  const refused = refusalData(error);
  const isHinted =
    refused === undefined ||
    actionsForRefusal(refused, {}).every(({ command }) => command === SHOW_LOG);
  return withPrefix(isHinted ? describeError(error) : refused.message);
}

function actionsForError(error: unknown, target: Target): ErrorAction[] {
  if (!vscode.workspace.isTrusted) {
    return [{ title: 'Manage Workspace Trust', command: 'workbench.trust.manage' }];
  }
  if (error instanceof ServerNotRunning) {
    return [
      { title: 'Start the Server', command: 'writeit.ui.server.restart' },
      { title: 'Show Log', command: SHOW_LOG },
    ];
  }
  const refused = refusalData(error);
  return refused === undefined
    ? [{ title: 'Show Log', command: SHOW_LOG }]
    : actionsForRefusal(refused, target);
}

function actionsForRefusal(refused: RefusalData, target: Target): ErrorAction[] {
  const setKey = {
    title: 'Set a Key…',
    command: 'writeit.ui.model.setKey',
    argument: refused.provider,
  };
  switch (refused.kind) {
    case 'model_error':
      return refused.reason === 'auth' ? [setKey] : [];
    case 'not_found':
      // The contract: no model at all is told with these three ways out.
      return refused.hint?.includes('model.install')
        ? [
            { title: 'Install the Embedded Model', command: 'writeit.ui.model.install' },
            setKey,
            { title: 'Choose a Model…', command: 'writeit.ui.model.default' },
          ]
        : [];
    case 'retry_limit':
      return [{ title: 'Branch Here', command: 'writeit.ui.run.branch', argument: target }];
    case 'store_error':
      return [{ title: 'Show Log', command: SHOW_LOG }];
    default:
      return [];
  }
}

/** Run a command of ours; what it throws is told, never swallowed. */
export async function reportErrors<R>(
  work: () => Promise<R>,
  target: Target = {},
): Promise<R | undefined> {
  try {
    return await work();
  } catch (error) {
    // Not awaited: the message stays until she reads it, the command is over.
    void showError(error, target);
    return undefined;
  }
}
