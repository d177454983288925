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
  return [
    {
      label: 'Default style',
      description: now.stylePrimer ?? 'none',
      ask: () => askStylePrimer(app),
    },
    {
      label: 'Default models',
      description: Object.entries(now.defaultModels)
        .map(([step, model]) => `${step}: ${model}`)
        .join(', '),
      ask: () => askDefaultModel(now.defaultModels),
    },
    {
      label: 'Terminal theme',
      description: now.theme,
      ask: () => askText('Terminal theme', now.theme, (theme) => ({ theme })),
    },
    {
      label: 'Save the document after WriteIt changes it',
      description: now.autoSaveEnabled ? 'yes' : 'no',
      ask: () => Promise.resolve({ autoSaveEnabled: !now.autoSaveEnabled }),
    },
    {
      label: 'Runs that generate at the same time',
      description: String(now.maxConcurrentPipelines),
      ask: () =>
        askNumber(
          'Runs that generate at the same time',
          now.maxConcurrentPipelines,
          (maxConcurrentPipelines) => ({
            maxConcurrentPipelines,
          }),
        ),
    },
    {
      label: 'Tokens per update',
      description: String(now.streamingBufferSize),
      ask: () =>
        askNumber('Tokens per update', now.streamingBufferSize, (streamingBufferSize) => ({
          streamingBufferSize,
        })),
    },
    {
      label: 'Export format',
      description: now.exportFormat,
      ask: async () => {
        const chosen = await vscode.window.showQuickPick(['yaml', 'json', 'markdown']);
        return chosen === undefined
          ? undefined
          : { exportFormat: chosen as UserPreferences['exportFormat'] };
      },
    },
  ];
}

async function askStylePrimer(app: App): Promise<Change | undefined> {
  const chosen = await pickPrimer(app, undefined, 'Choose the default style');
  return chosen === undefined ? undefined : { stylePrimer: chosen };
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
  const given = await vscode.window.showInputBox({ title, value });
  return given === undefined ? undefined : change(given);
}

function askNumber(
  title: string,
  value: number,
  change: (value: number) => Change,
): Promise<Change | undefined> {
  return askText(title, String(value), (given) => change(Number(given)));
}
