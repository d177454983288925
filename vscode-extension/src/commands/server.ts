import * as vscode from 'vscode';
import { l10n } from 'vscode';
import type { App } from '../app';
import { suggest } from '../followUps';
import { log } from '../log';
import { offerInstall } from '../server/install';
import { withPrefix } from '../wording';
import type { Handlers } from './handlers';

export const SERVER: Handlers = {
  'server.restart': async (app) => {
    await app.server.restart();
    const { state, reason } = app.server;
    if (state === 'missing') {
      await installServer(app);
    } else if (state !== 'running' && state !== 'failed') {
      void vscode.window.showWarningMessage(withPrefix(reason));
    }
    return state;
  },

  'server.stop': (app) => app.server.stop(),

  'server.log': () => {
    log.show();
    return Promise.resolve();
  },

  'server.info': (app) => {
    const { reason, description } = app.server;
    const text = reason === description ? reason : `${reason} ${description}`;
    void vscode.window.showInformationMessage(withPrefix(text));
    return Promise.resolve(description);
  },

  'server.install': (app) => installServer(app),

  'server.settings': () =>
    Promise.resolve(
      vscode.commands.executeCommand('workbench.action.openSettings', '@ext:writeit.writeit'),
    ),
};

/** Offer to install the server, and start it if it was installed. */
export async function installServer(app: App): Promise<boolean> {
  if (!vscode.workspace.isTrusted) {
    void vscode.window.showWarningMessage(
      l10n.t('WriteIt: Nothing is installed in Restricted Mode.'),
    );
    return false;
  }
  const installed = await offerInstall(app.context, withPrefix(app.server.reason));
  if (installed) {
    await app.server.restart();
    reportInstalled(app);
  }
  return installed;
}

const WALKTHROUGH = 'writeit.writeit#writeit.begin';

function reportInstalled({ server }: App): void {
  if (server.state === 'running') {
    suggest(l10n.t('The server is installed. Next: set up a model.'), [
      l10n.t('Open Walkthrough'),
      () => vscode.commands.executeCommand('workbench.action.openWalkthrough', WALKTHROUGH),
    ]);
  }
}

/** Say why the server does not run, with what the user can do. */
export function reportStopped({ server }: App): void {
  const buttons: Readonly<Record<string, string>> = {
    [l10n.t('Restart the Server')]: 'writeit.ui.server.restart',
    [l10n.t('Install the Server…')]: 'writeit.ui.server.install',
    [l10n.t('Show Log')]: 'writeit.ui.server.log',
  };
  const message = withPrefix(server.reason);
  void vscode.window.showErrorMessage(message, ...Object.keys(buttons)).then((chosen) => {
    const command = buttons[chosen ?? ''];
    return command && vscode.commands.executeCommand(command);
  });
}
