import * as vscode from 'vscode';
import { runCommand } from '../commandFlows';
import type { App } from '../app';
import { currentFolder } from '../folders';
import { listModels } from '../models';
import { pick, pickModels } from '../quickPicks';
import type { Handlers } from './handlers';

const EMBEDDED = 'embedded/';

export const MODEL: Handlers = {
  'model.setKey': async (app, argument) => {
    const provider = typeof argument === 'string' ? argument : await pickProvider(app, argument);
    const key = provider && (await askKey(provider));
    if (!provider || !key) {
      return undefined;
    }
    const result = await runCommand(app, 'writeit.keys.set', { provider, key });
    if (result !== undefined) {
      inform(`The key of ${provider} is in the system keyring.`);
    }
    return result;
  },

  'model.keys': async (app) => {
    const { providers } = await app.server.execute('writeit.keys.list', {
      folder: currentFolder(),
    });
    const items = providers.map(({ provider, source }) => ({
      label: provider,
      description: KEY_SOURCES[source],
      value: provider,
    }));
    const provider = await pick(
      items,
      'Keys: choose a provider to set its key',
      'no provider is known.',
    );
    return provider && vscode.commands.executeCommand('writeit.ui.model.setKey', provider);
  },

  'model.install': async (app, argument) => {
    const named = (argument as { readonly model?: string } | undefined)?.model;
    const model = named ?? (await findEmbeddedModel(app));
    if (model === undefined) {
      inform('No embedded model can be installed here.');
      return undefined;
    }
    const result = await runCommand(app, 'writeit.model.install', { model });
    if (result !== undefined) {
      inform(`${model} can be asked now. It shows the way; it is no writer.`);
    }
    return result;
  },

  'model.default': async (_app, argument) => {
    const named = (argument as { readonly model?: string } | undefined)?.model;
    const models = named === undefined ? await pickModels(_app, 'Ask these by default') : [named];
    if (models === undefined || models.length === 0) {
      return undefined;
    }
    const section = vscode.workspace.getConfiguration('writeit');
    await section.update('models.default', models, vscode.ConfigurationTarget.Global);
    inform(`Asked by default: ${models.join(', ')}.`);
    return models;
  },
};

const KEY_SOURCES = {
  environment: 'from the environment',
  keyring: 'in the system keyring',
  none: 'no key',
} as const;

function inform(message: string): void {
  void vscode.window.showInformationMessage(`WriteIt: ${message}`);
}

async function pickProvider(app: App, argument: unknown): Promise<string | undefined> {
  const named = (argument as { readonly provider?: string } | undefined)?.provider;
  if (named !== undefined) {
    return named;
  }
  const { providers } = await app.server.execute('writeit.keys.list', { folder: currentFolder() });
  const items = providers.map(({ provider, source }) => ({
    label: provider,
    description: KEY_SOURCES[source],
    value: provider,
  }));
  return pick(items, 'Whose key?', 'no provider is known.');
}

/** The key goes to the server, which keeps it in the system keyring; never into settings. */
function askKey(provider: string): Thenable<string | undefined> {
  return vscode.window.showInputBox({
    title: `Key for ${provider}`,
    prompt: 'It is kept in the system keyring and never shown again.',
    password: true,
    ignoreFocusOut: true,
  });
}

async function findEmbeddedModel(app: App): Promise<string | undefined> {
  const models = await listModels(app, currentFolder());
  return models.find(({ id }) => id.startsWith(EMBEDDED))?.id;
}
