import * as vscode from 'vscode';
import { act } from '../act';
import type { App } from '../app';
import { currentFolder } from '../folders';
import type { PreferencesSetParams, UserPreferences } from '../protocol';
import { pickPrimer } from './library';
import type { Table } from './table';

export const PREFERENCES: Table = {
  'preferences.edit': async (app) => {
    const folder = currentFolder();
    const now = await app.server.ask('writeit.preferences.get', { folder });
    const chosen = await vscode.window.showQuickPick(items(app, now), {
      title: 'Preferences: they hold in every editor; a setting wins over them',
    });
    const change = chosen && (await chosen.ask());
    return change && act(app, 'writeit.preferences.set', { ...change, folder });
  },
};

type Change = PreferencesSetParams;
type Item = vscode.QuickPickItem & { ask(): Promise<Change | undefined> };

function items(app: App, now: UserPreferences): Item[] {
  return [
    {
      label: 'Style primer',
      description: now.stylePrimer ?? 'none',
      ask: () => stylePrimer(app),
    },
    {
      label: 'Default models',
      description: Object.entries(now.defaultModels)
        .map(([step, model]) => `${step}: ${model}`)
        .join(', '),
      ask: () => defaultModel(now.defaultModels),
    },
    {
      label: 'Theme of the terminal',
      description: now.theme,
      ask: () => text('Theme of the terminal', now.theme, (theme) => ({ theme })),
    },
    {
      label: 'Save the article after a text was applied',
      description: now.autoSaveEnabled ? 'yes' : 'no',
      ask: () => Promise.resolve({ autoSaveEnabled: !now.autoSaveEnabled }),
    },
    {
      label: 'Runs that stream at once',
      description: String(now.maxConcurrentPipelines),
      ask: () =>
        number(
          'Runs that stream at once',
          now.maxConcurrentPipelines,
          (maxConcurrentPipelines) => ({
            maxConcurrentPipelines,
          }),
        ),
    },
    {
      label: 'Tokens joined per delta',
      description: String(now.streamingBufferSize),
      ask: () =>
        number('Tokens joined per delta', now.streamingBufferSize, (streamingBufferSize) => ({
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

async function stylePrimer(app: App): Promise<Change | undefined> {
  const chosen = await pickPrimer(app, undefined, 'Write in the style of…');
  return chosen === undefined ? undefined : { stylePrimer: chosen };
}

/** One step's model; an empty one is taken out. */
async function defaultModel(now: Readonly<Record<string, string>>): Promise<Change | undefined> {
  const step = await vscode.window.showInputBox({ title: 'Default model of which step?' });
  if (step === undefined || step === '') {
    return undefined;
  }
  return text(`Model of ${step}`, now[step] ?? '', (model) => {
    const others = Object.entries(now).filter(([name]) => name !== step);
    const entries = model === '' ? others : [...others, [step, model] as const];
    return { defaultModels: Object.fromEntries(entries) };
  });
}

async function text(
  title: string,
  value: string,
  change: (value: string) => Change,
): Promise<Change | undefined> {
  const given = await vscode.window.showInputBox({ title, value });
  return given === undefined ? undefined : change(given);
}

function number(
  title: string,
  value: number,
  change: (value: number) => Change,
): Promise<Change | undefined> {
  return text(title, String(value), (given) => change(Number(given)));
}
