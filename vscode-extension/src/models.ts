import * as vscode from 'vscode';
import type { App } from './app';
import type { ModelInfo } from './protocol';
import { valueOr } from './server/server';

/** The models of a folder. Also sets the context key that tells whether one is available. */
export async function listModels(
  app: App,
  folder: string | undefined,
): Promise<readonly ModelInfo[]> {
  const { models } = await app.server.execute('writeit.model.list', { folder });
  setHasModel(models.some(({ available }) => available));
  return models;
}

/** Update the context key that completes a step of the walkthrough. */
export async function checkModels(app: App, folder: string | undefined): Promise<void> {
  await valueOr(undefined, listModels(app, folder));
}

/** Tell the walkthrough whether a model is available. */
export function setHasModel(hasModel: boolean): void {
  void vscode.commands.executeCommand('setContext', 'writeit.hasModel', hasModel);
}
