import * as vscode from 'vscode';
import { l10n } from 'vscode';
import type { Target } from './app';
import { describeError, isCancelled, refusalData, type RefusalData } from './errors';
import { log } from './log';
import { ServerNotRunning } from './server/server';
import { withPrefix } from './wording';

interface ErrorAction {
  readonly title: string;
  readonly command: string;
  readonly argument?: unknown;
}

const SHOW_LOG = { title: l10n.t('Show Log'), command: 'writeit.ui.server.log' };

/** Show an error message with buttons for what can be done. A cancelled request shows none. */
async function showError(error: unknown, target: Target): Promise<void> {
  if (isCancelled(error) || error instanceof vscode.CancellationError) {
    return;
  }
  log.error('Command failed', error);
  const actions = actionsForError(error, target);
  const titles = actions.map(({ title }) => title);
  const chosen = await vscode.window.showErrorMessage(errorMessage(error), ...titles);
  const action = actions.find(({ title }) => title === chosen);
  if (action !== undefined) {
    await vscode.commands.executeCommand(action.command, action.argument);
  }
}

/** The text of the message. The server's hint is left out where buttons do what it says. */
export function errorMessage(error: unknown): string {
  const refusal = refusalData(error);
  const needsHint =
    refusal === undefined || actionsForRefusal(refusal, {}).every((action) => action === SHOW_LOG);
  return withPrefix(needsHint ? describeError(error) : refusal.message);
}

function actionsForError(error: unknown, target: Target): readonly ErrorAction[] {
  if (!vscode.workspace.isTrusted) {
    return [{ title: l10n.t('Manage Workspace Trust'), command: 'workbench.trust.manage' }];
  }
  if (error instanceof ServerNotRunning) {
    const restart = { title: l10n.t('Restart the Server'), command: 'writeit.ui.server.restart' };
    return error.isRestarting ? [SHOW_LOG] : [restart, SHOW_LOG];
  }
  const refusal = refusalData(error);
  return refusal === undefined ? [SHOW_LOG] : actionsForRefusal(refusal, target);
}

function actionsForRefusal(refusal: RefusalData, target: Target): readonly ErrorAction[] {
  const setKey = {
    title: l10n.t('Set an API Key…'),
    command: 'writeit.ui.model.setKey',
    argument: refusal.provider,
  };
  switch (refusal.kind) {
    case 'model_error':
      return refusal.reason === 'auth' ? [setKey] : [];
    case 'not_found':
      // Of all that may be missing, only a missing model has a hint with this command.
      return refusal.hint?.match(/model[. ](?:add|install)/)
        ? [
            { title: l10n.t('Add a Model…'), command: 'writeit.ui.model.add' },
            { title: l10n.t('Install the Embedded Model'), command: 'writeit.ui.model.install' },
            setKey,
            { title: l10n.t('Choose a Model…'), command: 'writeit.ui.model.default' },
          ]
        : [];
    case 'retry_limit':
      return [{ title: l10n.t('Branch Here'), command: 'writeit.ui.run.branch', argument: target }];
    case 'store_error':
      return [SHOW_LOG];
    default:
      return [];
  }
}

/** Do the work and show its error, if it fails. Undefined if it failed. */
export async function reportErrors<R>(
  work: () => Promise<R>,
  target: Target = {},
): Promise<R | undefined> {
  try {
    return await work();
  } catch (error) {
    // Not awaited: the message stays until the user closes it.
    void showError(error, target);
    return undefined;
  }
}
