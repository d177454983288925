import * as vscode from 'vscode';
import type { App } from '../app';
import { log } from '../log';
import { offerInstall } from '../server/install';
import type { Table } from './table';

export const SERVER: Table = {
  'server.restart': async (app) => {
    await app.server.restart();
    const { state, why } = app.server;
    if (state !== 'running') {
      void vscode.window.showWarningMessage(`WriteIt: ${why}`);
    }
    return state;
  },

  'server.stop': (app) => app.server.stop(),

  'server.log': () => {
    log.show();
    return Promise.resolve();
  },

  'server.info': (app) => {
    const { server } = app;
    void vscode.window.showInformationMessage(`WriteIt: ${server.why} ${server.description}`);
    return Promise.resolve(server.description);
  },

  'server.install': (app) => installServer(app),

  'server.settings': () =>
    Promise.resolve(
      vscode.commands.executeCommand('workbench.action.openSettings', '@ext:writeit.writeit'),
    ),
};

/** Offer the private installation; start what is there afterwards. */
export async function installServer(app: App): Promise<boolean> {
  if (!vscode.workspace.isTrusted) {
    void vscode.window.showWarningMessage('WriteIt: nothing is installed in Restricted Mode.');
    return false;
  }
  const installed = await offerInstall(app.context, `WriteIt: ${app.server.why}`);
  if (installed) {
    await app.server.restart();
  }
  return installed;
}
