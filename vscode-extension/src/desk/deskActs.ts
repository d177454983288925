import * as vscode from 'vscode';
import type { App } from '../app';
import { runCommand } from '../commandFlows';
import { executeServerCommand } from '../followUps';
import { showDocument } from '../pages/showDocument';
import { viewUri } from '../pages/uris';
import type { Act, ActOf } from './messages';
import { actOnRemark } from './remarks';

export interface StepAddress {
  readonly runId: string;
  readonly step: string;
}

type Acts = {
  readonly [N in Act['act']]: (app: App, address: StepAddress, act: ActOf<N>) => unknown;
};

const ACTS: Acts = {
  choose,
  take: (app, address, { responseId: response, text }) =>
    runCommand(app, 'writeit.step.take', { ...address, response, text }),
  merge: (app, address, { content, goOn }) =>
    runCommand(app, 'writeit.step.merge', { ...address, content, goOn }),
  regenerate: (app, address, { feedback }) =>
    runCommand(app, 'writeit.step.regenerate', { ...address, feedback }),
  keepRule: (app, address, { text }) =>
    runCommand(app, 'writeit.primer.keep', { ...address, text }),
  compare: (_, { runId, step }, { left, right }) =>
    showDocument(viewUri('compare', runId, step, left, runId, step, right)),
  continue: (app, address, { responseId: response }) =>
    runCommand(app, 'writeit.step.continue', { ...address, response }),
  rate: (_, address, { responseId }) =>
    vscode.commands.executeCommand('writeit.ui.response.rate', { ...address, responseId }),
  stop: (app, { runId }, { responseId }) =>
    runCommand(app, 'writeit.response.stop', { runId, responseId }),
  remark: (app, { runId }, act) => actOnRemark(app, runId, act),
  restoreRemarks: (app, { runId }) => runCommand(app, 'writeit.review.restore', { runId }),
  // The page of a run names no step: the current one is generated.
  run: (app, { runId, step }) =>
    runCommand(app, 'writeit.step.run', step === '' ? { runId } : { runId, step }),
  skip: (app, address) => runCommand(app, 'writeit.step.skip', { ...address, goOn: true }),
  pause: (app, { runId }) => runCommand(app, 'writeit.run.pause', { runId }),
  resume: (app, { runId }) => runCommand(app, 'writeit.run.resume', { runId }),
  apply: (_, { runId }) => executeServerCommand('writeit.step.apply', { runId }),
  branch: (app, address) => runCommand(app, 'writeit.run.branch', address),
  mergeByModel: (_, address) =>
    vscode.commands.executeCommand('writeit.ui.merge.byModel', { ...address }),
};

/** Do what the user chose on the page of a step. */
export async function perform(app: App, address: StepAddress, act: Act): Promise<void> {
  const run = ACTS[act.act] as (app: App, address: StepAddress, act: Act) => unknown;
  await run(app, address, act);
}

function choose(
  app: App,
  address: StepAddress,
  { responseId: response, goOn, stopOthers = false, text, item }: ActOf<'choose'>,
): Promise<unknown> {
  const part = text !== undefined || item !== undefined ? { part: { text, item } } : {};
  const params = { ...address, response, goOn, stopOthers, ...part };
  return runCommand(app, 'writeit.step.select', params);
}
