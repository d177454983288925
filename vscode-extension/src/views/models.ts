import { l10n } from 'vscode';
import type { App } from '../app';
import { listModels } from '../models';
import type { ModelInfo } from '../protocol';
import { plural } from '../wording';
import { TreeNode } from './treeNode';

const PRICE_UNIT = 1_000_000;

/** A provider with more models is collapsed at first. */
const MAX_EXPANDED = 12;

class ModelNode extends TreeNode {
  readonly model: string;

  constructor(info: ModelInfo, folder: string | undefined) {
    const embedded = info.provider === 'embedded';
    super(info.id.slice(info.provider.length + 1), {
      description: info.available ? modelDetails(info) : (info.reason ?? l10n.t('not available')),
      tooltip: [info.id, info.available ? modelDetails(info) : info.reason]
        .filter(Boolean)
        .join('\n'),
      icon: info.available ? 'pass' : 'circle-slash',
      contextValue: info.available ? 'model' : embedded ? 'model.installable' : 'model.unavailable',
      id: `${folder ?? ''}/${info.id}`,
    });
    this.model = info.id;
  }
}

function modelDetails({ contextWindow, inputCostPerToken, outputCostPerToken }: ModelInfo): string {
  const window =
    contextWindow === null
      ? l10n.t('context window unknown')
      : l10n.t('{0} tokens of context', contextWindow);
  const price =
    inputCostPerToken === null || outputCostPerToken === null
      ? l10n.t('price unknown')
      : l10n.t(
          '${0} in, ${1} out per million',
          (inputCostPerToken * PRICE_UNIT).toFixed(2),
          (outputCostPerToken * PRICE_UNIT).toFixed(2),
        );
  return l10n.t('available, {0}, {1}', window, price);
}

class ProviderNode extends TreeNode {
  readonly provider: string;

  constructor(provider: string, models: readonly ModelInfo[], folder: string | undefined) {
    const usable = models.filter(({ available }) => available).length;
    super(
      provider,
      {
        description: l10n.t('{0} of {1} available', usable, plural(models.length, 'model')),
        icon: usable > 0 ? 'vm-active' : 'vm-outline',
        contextValue: provider === 'embedded' ? 'provider.embedded' : 'provider',
        id: `${folder ?? ''}/${provider}`,
        expanded: models.length <= MAX_EXPANDED,
      },
      () => Promise.resolve(models.map((info) => new ModelNode(info, folder))),
    );
    this.provider = provider;
  }
}

export async function loadModels(
  app: App,
  folder: string | undefined,
): Promise<readonly TreeNode[]> {
  const models = await listModels(app, folder);
  const providers = new Set(models.map(({ provider }) => provider));
  return [...providers].map(
    (provider) =>
      new ProviderNode(
        provider,
        models.filter((model) => model.provider === provider),
        folder,
      ),
  );
}
