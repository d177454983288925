import * as vscode from 'vscode';
import type { App } from './app';
import { describeError } from './errors';
import { log } from './log';
import type { ModelInfo } from './protocol';

/** The models there are here; whoever lists them makes known whether one can be asked. */
export async function listModels(
  app: App,
  folder: string | undefined,
): Promise<readonly ModelInfo[]> {
  const { models } = await app.server.execute('writeit.model.list', { folder });
  setHasModel(models.some(({ available }) => available));
  return models;
}

/** Look whether a model can be asked now; the walkthrough ticks itself off by it. */
export async function checkModels(app: App, folder: string | undefined): Promise<void> {
  try {
    await listModels(app, folder);
  } catch (error) {
    log.warn(`Whether a model can be asked is not known: ${describeError(error)}`);
  }
}

/** An answer came: a model can be asked. */
export function markModelAvailable(): void {
  setHasModel(true);
}

function setHasModel(some: boolean): void {
  void vscode.commands.executeCommand('setContext', 'writeit.hasModel', some);
}
