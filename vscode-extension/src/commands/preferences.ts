import * as vscode from 'vscode';
import { runCommand } from '../commandFlows';
import type { App } from '../app';
import { currentFolder } from '../folders';
import type { PreferencesSetParams, UserPreferences } from '../protocol';
import { pickPrimer } from './library';
import type { Handlers } from './handlers';

export const PREFERENCES: Handlers = {
  'preferences.edit': async (app) => {
    const folder = currentFolder();
    const now = await app.server.execute('writeit.preferences.get', { folder });
    const chosen = await vscode.window.showQuickPick(preferenceItems(app, now), {
      title: 'Preferences for every editor; settings override them',
    });
    const change = chosen && (await chosen.ask());
    return change && runCommand(app, 'writeit.preferences.set', { ...change, folder });
  },
};

type Change = PreferencesSetParams;
type Item = vscode.QuickPickItem & { ask(): Promise<Change | undefined> };

function preferenceItems(app: App, now: UserPreferences): Item[] {
  const models = Object.entries(now.defaultModels).map(([step, model]) => `${step}: ${model}`);
  return [
    {
      label: 'Default style',
      description: now.stylePrimer ?? 'none',
      ask: async () => {
        const stylePrimer = await pickPrimer(app, undefined, 'Choose the default style');
        return stylePrimer === undefined ? undefined : { stylePrimer };
      },
    },
    {
      label: 'Default models',
      description: models.join(', '),
      ask: () => askDefaultModel(now.defaultModels),
    },
    textItem('Terminal theme', now.theme, (theme) => ({ theme })),
    {
      label: 'Save the document after WriteIt changes it',
      description: now.autoSaveEnabled ? 'yes' : 'no',
      ask: () => Promise.resolve({ autoSaveEnabled: !now.autoSaveEnabled }),
    },
    textItem(
      'Runs that generate at the same time',
      String(now.maxConcurrentPipelines),
      (value) => ({
        maxConcurrentPipelines: Number(value),
      }),
    ),
    textItem('Tokens per update', String(now.streamingBufferSize), (value) => ({
      streamingBufferSize: Number(value),
    })),
    {
      label: 'Export format',
      description: now.exportFormat,
      ask: async () => {
        const format = await vscode.window.showQuickPick(['yaml', 'json', 'markdown']);
        return format === undefined
          ? undefined
          : { exportFormat: format as UserPreferences['exportFormat'] };
      },
    },
  ];
}

function textItem(label: string, value: string, change: (value: string) => Change): Item {
  return { label, description: value, ask: () => askText(label, value, change) };
}

/** Ask for a step and its default model; an empty model removes the step. */
async function askDefaultModel(
  current: Readonly<Record<string, string>>,
): Promise<Change | undefined> {
  const step = await vscode.window.showInputBox({ title: 'Step to set a default model for' });
  if (step === undefined || step === '') {
    return undefined;
  }
  return askText(`Default model for ${step}`, current[step] ?? '', (model) => {
    const others = Object.entries(current).filter(([name]) => name !== step);
    const entries = model === '' ? others : [...others, [step, model] as const];
    return { defaultModels: Object.fromEntries(entries) };
  });
}

async function askText(
  title: string,
  value: string,
  change: (value: string) => Change,
): Promise<Change | undefined> {
  const text = await vscode.window.showInputBox({ title, value });
  return text === undefined ? undefined : change(text);
}
