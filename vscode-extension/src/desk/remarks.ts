import * as vscode from 'vscode';
import { l10n } from 'vscode';
import type { App } from '../app';
import { runCommand, runServerCommand } from '../commandFlows';
import { inform } from '../followUps';
import { showDocument } from '../pages/showDocument';
import type { PipelineRun } from '../protocol';
import { listActions, toRange } from '../serverActions';
import type { Server } from '../server/server';
import { plural } from '../wording';
import type { ActOf, ShownRemark } from './messages';

/** The open remarks of a review, with their places in its document. */
export async function readRemarks(
  server: Server,
  { uri, review }: Partial<PipelineRun>,
): Promise<ShownRemark[]> {
  if (uri == null || review == null) {
    return [];
  }
  const { remarks } = await server.execute('writeit.review.list', { uri });
  const shown = review.remarks.map((remark) => {
    const now = remarks.find(({ remarkId }) => remarkId === remark.remarkId);
    // Of a review that is not the newest one, only the line at its time is known.
    const line = now === undefined ? remark.line : now.range?.start.line;
    const found = line == null ? l10n.t('no place found') : l10n.t('line {0}', line + 1);
    const place = remark.quote === '' ? l10n.t('the whole text') : found;
    const models = remark.count > 1 ? [plural(remark.count, 'model')] : [];
    return { ...(now ?? remark), about: [remark.kind, place, ...models].join(' · ') };
  });
  return shown.filter(({ state }) => state === 'open');
}

/** Do what the user chose for a remark. Its words are looked for where they are now. */
export async function actOnRemark(
  app: App,
  runId: string,
  { remarkId, what }: ActOf<'remark'>,
): Promise<unknown> {
  if (what === 'dismiss' || what === 'dismissKind') {
    return runCommand(app, 'writeit.review.dismiss', { remarkId, kind: what === 'dismissKind' });
  }
  const run = await app.runStates.run(runId);
  const uri = vscode.Uri.parse(run.uri ?? '');
  await vscode.workspace.openTextDocument(uri); // the server marks remarks in open documents
  const remarks = await readRemarks(app.server, run);
  const place = remarks.find((remark) => remark.remarkId === remarkId)?.range;
  if (place != null && what === 'show') {
    return showDocument(uri, { selection: toRange(place) });
  }
  const actions = place == null ? [] : await listActions(app.server, uri, toRange(place));
  const { about } = actions.find(({ argument }) => argument['remarkId'] === remarkId) ?? {};
  const wanted = what === 'apply' ? 'writeit.finding.fix' : 'writeit.document.polish';
  const action = actions.find((each) => each.about === about && each.command === wanted);
  if (action === undefined) {
    inform(l10n.t('Nothing was changed: these words of the document are not the same any more.'));
    return undefined;
  }
  return runServerCommand(app, action.command, action.argument);
}
