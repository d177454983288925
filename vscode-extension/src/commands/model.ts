import * as vscode from 'vscode';
import { l10n } from 'vscode';
import { runCommand } from '../commandFlows';
import type { App } from '../app';
import { currentFolder } from '../folders';
import { inform } from '../followUps';
import { listModels } from '../models';
import { pick, pickModels } from '../quickPicks';
import { namedIn } from '../target';
import type { Handlers } from './handlers';

const EMBEDDED_PREFIX = 'embedded/';

export const MODEL: Handlers = {
  'model.setKey': async (app, argument) => {
    const named = typeof argument === 'string' ? argument : namedIn(argument, 'provider');
    const provider =
      named ?? (await pickProvider(app, l10n.t('Set an API key: choose a provider')));
    const key = provider && (await askKey(provider));
    if (!provider || !key) {
      return undefined;
    }
    const result = await runCommand(app, 'writeit.keys.set', { provider, key });
    if (result !== undefined) {
      inform(l10n.t('The API key for {0} is stored in the system keyring.', provider));
    }
    return result;
  },

  'model.add': async (app) => {
    const provider = await askText(l10n.t('Provider, such as openai, anthropic or lm_studio'));
    const baseUrl =
      provider &&
      (await askText(l10n.t('Address of its server. Leave it empty for the usual one.'), ''));
    const key = baseUrl === undefined ? undefined : provider && (await askKey(provider));
    const model = key === undefined ? undefined : await askText(l10n.t('Model, such as gpt-4o'));
    if (!provider || !model) {
      return undefined;
    }
    const given = {
      provider,
      model,
      baseUrl: baseUrl === '' ? null : baseUrl,
      key: key === '' ? null : key,
    };
    const result = await runCommand(app, 'writeit.model.add', given);
    if (result !== undefined) {
      inform(l10n.t('{0}/{1} works. It is your default model now.', provider, model));
    }
    return result;
  },

  'model.keys': async (app) => {
    const provider = await pickProvider(app, l10n.t('API keys: choose a provider to set its key'));
    return provider && vscode.commands.executeCommand('writeit.ui.model.setKey', provider);
  },

  'model.install': async (app, argument) => {
    const named = namedIn(argument, 'model');
    const model = named ?? (await findEmbeddedModel(app));
    if (model === undefined) {
      inform(l10n.t('There is no embedded model to install.'));
      return undefined;
    }
    const result = await runCommand(app, 'writeit.model.install', { model });
    if (result !== undefined) {
      inform(l10n.t('{0} is installed. It is small: use it to try WriteIt.', model));
    }
    return result;
  },

  'model.default': async (app, argument) => {
    const named = namedIn(argument, 'model');
    const models =
      named === undefined ? await pickModels(app, l10n.t('Choose the default models')) : [named];
    if (models === undefined || models.length === 0) {
      return undefined;
    }
    const section = vscode.workspace.getConfiguration('writeit');
    await section.update('models.default', models, vscode.ConfigurationTarget.Global);
    inform(l10n.t('Default models: {0}.', models.join(', ')));
    return models;
  },
};

const KEY_SOURCES = {
  environment: l10n.t('from the environment'),
  keyring: l10n.t('in the system keyring'),
  none: l10n.t('no key'),
} as const;

async function pickProvider(app: App, title: string): Promise<string | undefined> {
  const { providers } = await app.server.execute('writeit.keys.list', { folder: currentFolder() });
  const items = providers.map(({ provider, source }) => ({
    label: provider,
    description: KEY_SOURCES[source],
    value: provider,
  }));
  return pick(items, title, l10n.t('No provider is known.'));
}

function askText(prompt: string, value?: string): Thenable<string | undefined> {
  return vscode.window.showInputBox({
    title: l10n.t('Add a model'),
    prompt,
    ignoreFocusOut: true,
    ...(value === undefined ? {} : { value }),
  });
}

/** The server stores the key in the system keyring; settings never contain it. */
function askKey(provider: string): Thenable<string | undefined> {
  return vscode.window.showInputBox({
    title: l10n.t('API key for {0}', provider),
    prompt: l10n.t('It is stored in the system keyring and not shown again.'),
    password: true,
    ignoreFocusOut: true,
  });
}

async function findEmbeddedModel(app: App): Promise<string | undefined> {
  const models = await listModels(app, currentFolder());
  return models.find(({ id }) => id.startsWith(EMBEDDED_PREFIX))?.id;
}
