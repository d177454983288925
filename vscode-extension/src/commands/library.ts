import * as vscode from 'vscode';
import { l10n } from 'vscode';
import { runCommand } from '../commandFlows';
import type { App } from '../app';
import { currentFolder } from '../folders';
import { inform } from '../followUps';
import { pick } from '../quickPicks';
import { showDocument } from '../pages/showDocument';
import { namedIn } from '../target';
import type { Handlers } from './handlers';

export const LIBRARY: Handlers = {
  'pipeline.open': async (app, argument) => {
    const named = namedIn(argument, 'uri');
    if (named !== undefined) {
      return showDocument(vscode.Uri.parse(named));
    }
    const { pipelines } = await app.server.execute('writeit.pipeline.list', {
      folder: currentFolder(),
    });
    const items = pipelines.map(({ name, description, uri, problems }) => ({
      label: name,
      description: problems[0]?.message ?? description,
      value: uri,
    }));
    const uri = await pick(
      items,
      l10n.t('Open a pipeline'),
      l10n.t('There are no pipelines here.'),
    );
    return uri && showDocument(vscode.Uri.parse(uri));
  },

  'primer.show': async (app, argument) => {
    const primer = await pickPrimer(app, argument, l10n.t('Read a style'));
    const style =
      primer &&
      (await app.server.execute('writeit.primer.show', { primer, folder: currentFolder() }));
    if (!style) {
      return undefined;
    }
    const content = `# ${style.name}\n\n${style.description}\n\n${style.content}\n`;
    const document = await vscode.workspace.openTextDocument({ language: 'markdown', content });
    return vscode.window.showTextDocument(document, { preview: true });
  },

  'primer.use': async (app, argument) => {
    const primer = await pickPrimer(app, argument, l10n.t('Choose the default style'));
    const params = primer && { stylePrimer: primer, folder: currentFolder() };
    const result = params && (await runCommand(app, 'writeit.preferences.set', params));
    if (result) {
      inform(l10n.t('New runs use the style {0}, unless they name another.', primer));
    }
    return result;
  },
};

export async function pickPrimer(
  app: App,
  argument: unknown,
  title: string,
): Promise<string | undefined> {
  const named = namedIn(argument, 'primer');
  if (named !== undefined) {
    return named;
  }
  const { primers } = await app.server.execute('writeit.primer.list', { folder: currentFolder() });
  const usable = primers.filter((primer) => primer.usable);
  const items = usable.map(({ primerId, description }) => ({
    label: primerId,
    description,
    value: primerId,
  }));
  return pick(items, title, l10n.t('There are no styles here.'));
}
