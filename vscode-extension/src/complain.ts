import * as vscode from 'vscode';
import { isCancelled, refusal, wordsOf, type RefusalData } from './errors';
import { log } from './log';
import type { Target } from './app';
import { NotRunning } from './server/server';
import { ours } from './words';

interface Remedy {
  readonly title: string;
  readonly command: string;
  readonly argument?: unknown;
}

const LOG = 'writeit.ui.server.log';

/** Tell the writer what went wrong, with what she can do about it. */
export async function complain(error: unknown, target: Target = {}): Promise<void> {
  if (isCancelled(error) || error instanceof vscode.CancellationError) {
    return;
  }
  log.error('Refused', error);
  const remedies = remediesFor(error, target);
  const titles = remedies.map(({ title }) => title);
  const chosen = await vscode.window.showErrorMessage(complaintOf(error), ...titles);
  const remedy = remedies.find(({ title }) => title === chosen);
  if (remedy !== undefined) {
    await vscode.commands.executeCommand(remedy.command, remedy.argument);
  }
}

/** What is said of an error. The server's hint names commands; where buttons do them, they say it. */
export function complaintOf(error: unknown): string {
  const refused = refusal(error);
  const isHinted =
    refused === undefined || remediesOf(refused, {}).every(({ command }) => command === LOG);
  return ours(isHinted ? wordsOf(error) : refused.message);
}

function remediesFor(error: unknown, target: Target): Remedy[] {
  if (!vscode.workspace.isTrusted) {
    return [{ title: 'Manage Workspace Trust', command: 'workbench.trust.manage' }];
  }
  if (error instanceof NotRunning) {
    return [
      { title: 'Start the Server', command: 'writeit.ui.server.restart' },
      { title: 'Show Log', command: LOG },
    ];
  }
  const refused = refusal(error);
  return refused === undefined
    ? [{ title: 'Show Log', command: LOG }]
    : remediesOf(refused, target);
}

function remediesOf(refused: RefusalData, target: Target): Remedy[] {
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
      return [{ title: 'Show Log', command: LOG }];
    default:
      return [];
  }
}

/** Run a command of ours; what it throws is told, never swallowed. */
export async function telling<R>(
  work: () => Promise<R>,
  target: Target = {},
): Promise<R | undefined> {
  try {
    return await work();
  } catch (error) {
    // Not awaited: the message stays until she reads it, the command is over.
    void complain(error, target);
    return undefined;
  }
}
