import * as vscode from 'vscode';
import { l10n } from 'vscode';
import { runCommand } from '../commandFlows';
import type { App } from '../app';
import { currentFolder } from '../folders';
import type { ModelSamples, PreferencesSetParams, UserPreferences } from '../protocol';
import { askSamples, pickModels } from '../quickPicks';
import { pickPrimer } from './library';
import type { Handlers } from './handlers';

export const PREFERENCES: Handlers = {
  'preferences.edit': async (app) => {
    const folder = currentFolder();
    const now = await app.server.execute('writeit.preferences.get', { folder });
    const chosen = await vscode.window.showQuickPick(preferenceItems(app, now), {
      title: l10n.t('Preferences for every editor; settings override them'),
    });
    const change = chosen && (await chosen.ask());
    return change && runCommand(app, 'writeit.preferences.set', { ...change, folder });
  },
};

type Change = PreferencesSetParams;
type Item = vscode.QuickPickItem & { ask(): Promise<Change | undefined> };

function preferenceItems(app: App, now: UserPreferences): Item[] {
  const steps = Object.entries(now.defaultModels).map(([step, model]) => `${step}: ${model}`);
  return [
    {
      label: l10n.t('Default models'),
      description:
        now.models.map(({ model, samples = 1 }) => `${model} × ${samples}`).join(', ') ||
        l10n.t('none'),
      ask: () => askModels(app, now.models),
    },
    {
      label: l10n.t('Default style'),
      description: now.stylePrimer ?? l10n.t('none'),
      ask: async () => {
        const stylePrimer = await pickPrimer(app, undefined, l10n.t('Choose the default style'));
        return stylePrimer === undefined ? undefined : { stylePrimer };
      },
    },
    {
      label: l10n.t('Default models of single steps'),
      description: steps.join(', '),
      ask: () => askDefaultModel(now.defaultModels),
    },
    textItem(l10n.t('Terminal theme'), now.theme, (theme) => ({ theme })),
    {
      label: l10n.t('Save the document after WriteIt changes it'),
      description: now.autoSaveEnabled ? l10n.t('yes') : l10n.t('no'),
      ask: () => Promise.resolve({ autoSaveEnabled: !now.autoSaveEnabled }),
    },
    textItem(
      l10n.t('Runs that generate at the same time'),
      String(now.maxConcurrentPipelines),
      (value) => ({
        maxConcurrentPipelines: Number(value),
      }),
    ),
    textItem(l10n.t('Tokens per update'), String(now.streamingBufferSize), (value) => ({
      streamingBufferSize: Number(value),
    })),
    {
      label: l10n.t('Export format'),
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

/** Ask for the default models and the number of answers of each; no model removes them. */
async function askModels(app: App, now: readonly ModelSamples[]): Promise<Change | undefined> {
  const last = new Map(now.map(({ model, samples = 1 }) => [model, samples]));
  const title = l10n.t('Choose the default models');
  const chosen = await pickModels(app, title, [...last.keys()]);
  const models: ModelSamples[] = [];
  for (const model of chosen ?? []) {
    const samples = await askSamples(
      l10n.t('Answers of {0} to each step', model),
      last.get(model) ?? 1,
    );
    if (samples === undefined) {
      return undefined;
    }
    models.push({ model, samples });
  }
  return chosen && { models };
}

/** Ask for a step and its default model; an empty model removes the step. */
async function askDefaultModel(
  current: Readonly<Record<string, string>>,
): Promise<Change | undefined> {
  const step = await vscode.window.showInputBox({
    title: l10n.t('Step to set a default model for'),
  });
  if (step === undefined || step === '') {
    return undefined;
  }
  return askText(l10n.t('Default model for {0}', step), current[step] ?? '', (model) => {
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
