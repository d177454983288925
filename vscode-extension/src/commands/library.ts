import * as vscode from 'vscode';
import { runCommand } from '../commandFlows';
import type { App } from '../app';
import { currentFolder } from '../folders';
import { pick } from '../quickPicks';
import { showDocument } from '../pages/showDocument';
import type { Handlers } from './handlers';

export const LIBRARY: Handlers = {
  'pipeline.open': async (app, argument) => {
    const named = (argument as { readonly uri?: string } | undefined)?.uri;
    if (named !== undefined) {
      return showDocument(vscode.Uri.parse(named));
    }
    const { pipelines } = await app.server.execute('writeit.pipeline.list', {
      folder: currentFolder(),
    });
    const items = pipelines.map(({ name, description, uri }) => ({
      label: name,
      description,
      value: uri,
    }));
    const uri = await pick(items, 'Open a pipeline', 'there are no pipelines here.');
    return uri && showDocument(vscode.Uri.parse(uri));
  },

  'primer.show': async (app, argument) => {
    const primer = await pickPrimer(app, argument, 'Read a primer');
    const found =
      primer &&
      (await app.server.execute('writeit.primer.show', { primer, folder: currentFolder() }));
    if (!found) {
      return undefined;
    }
    const content = `# ${found.name}\n\n${found.description}\n\n${found.content}\n`;
    const document = await vscode.workspace.openTextDocument({ language: 'markdown', content });
    return vscode.window.showTextDocument(document, { preview: true });
  },

  'primer.use': async (app, argument) => {
    const primer = await pickPrimer(app, argument, 'Write in the style of…');
    const params = primer && { stylePrimer: primer, folder: currentFolder() };
    const result = params && (await runCommand(app, 'writeit.preferences.set', params));
    if (result) {
      void vscode.window.showInformationMessage(
        `WriteIt: new runs are in the style of ${primer}, unless they name another.`,
      );
    }
    return result;
  },
};

export async function pickPrimer(
  app: App,
  argument: unknown,
  title: string,
): Promise<string | undefined> {
  const named = (argument as { readonly primer?: string } | undefined)?.primer;
  if (named !== undefined) {
    return named;
  }
  const { primers } = await app.server.execute('writeit.primer.list', { folder: currentFolder() });
  const items = primers.map(({ primerId, description }) => ({
    label: primerId,
    description,
    value: primerId,
  }));
  return pick(items, title, 'there are no primers here.');
}
