import * as vscode from 'vscode';
import { l10n } from 'vscode';
import type { App } from '../app';
import { runCommand } from '../commandFlows';
import { canChoose, canContinue, canRegenerate, hasAnswers, isCurrent } from '../eligibility';
import { namedAnswer, resolveAnswer, resolveStep } from '../target';
import { askSamples, pick, pickModels } from '../quickPicks';
import { listActions, titleOf, type ServerAction } from '../serverActions';
import { showDocument } from '../pages/showDocument';
import { viewUri } from '../pages/uris';
import type { StepState } from '../protocol';
import { onAnswer, onStep, type Handlers } from './handlers';

export const STEP: Handlers = {
  'step.run': onStep('writeit.step.run', l10n.t('Generate a step'), isCurrent),
  'step.regenerate': onStep('writeit.step.regenerate', l10n.t('Regenerate a step'), canRegenerate),
  'step.skip': onStep('writeit.step.skip', l10n.t('Skip a step'), isCurrent),
  'step.continue': onAnswer(
    'writeit.step.continue',
    l10n.t('Continue an incomplete answer'),
    canContinue,
  ),
  'step.chooseAndContinue': onAnswer(
    'writeit.step.select',
    l10n.t('Choose an answer and continue'),
    canChoose,
    { goOn: true },
  ),

  'step.runWithWords': async (app, argument) => {
    const resolved = await resolveStep(
      app,
      argument,
      l10n.t('Generate with instructions'),
      isCurrent,
    );
    const instruction = resolved && (await askInstruction(resolved.step));
    return resolved === undefined || instruction === undefined
      ? undefined
      : runCommand(app, 'writeit.step.run', { ...resolved.address, instruction });
  },

  'step.askModels': async (app, argument) => {
    const resolved = await resolveStep(
      app,
      argument,
      l10n.t('Generate with other models'),
      isCurrent,
    );
    const title = l10n.t('Models for {0}', resolved?.step.stepName ?? '');
    const models = resolved && (await pickModels(app, title, resolved.run.lastModels));
    if (resolved === undefined || models === undefined || models.length === 0) {
      return undefined;
    }
    const samples = await askSamples(l10n.t('Answers per model'), resolved.run.samples ?? 1);
    return samples && runCommand(app, 'writeit.step.run', { ...resolved.address, models, samples });
  },

  'step.choose': async (app, argument) => {
    const title = l10n.t('Choose an answer');
    const resolved = await resolveStep(app, argument, title, canChoose);
    const isNamed = resolved === undefined || namedAnswer(argument) !== undefined;
    const offers = isNamed ? [] : await listChoices(app, resolved.address);
    if (offers.length > 0) {
      return pickAction(offers, title, '');
    }
    const chosen = resolved && (await resolveAnswer(app, argument ?? resolved.address, title));
    return chosen && runCommand(app, 'writeit.step.select', chosen.response);
  },

  'step.choosePart': async (app) => {
    const editor = vscode.window.activeTextEditor;
    const actions =
      editor && (await listActions(app.server, editor.document.uri, editor.selection));
    const offers = (actions ?? []).filter(choosesSelection);
    return pickAction(
      offers,
      l10n.t('Choose the selection'),
      l10n.t('Select lines of one answer first.'),
    );
  },

  'step.chooseWithFeedback': async (app, argument) => {
    const title = l10n.t('Choose an answer with feedback');
    const resolved = await resolveAnswer(app, argument, title, canChoose);
    const feedback = resolved && (await askFeedback(resolved.step.userFeedback));
    if (resolved === undefined || feedback === undefined) {
      return undefined;
    }
    return runCommand(app, 'writeit.step.select', { ...resolved.response, feedback });
  },

  'step.feedback': async (app, argument) => {
    const resolved = await resolveStep(app, argument, l10n.t('Give feedback'), hasAnswers);
    const text = resolved && (await askFeedback(resolved.step.userFeedback));
    return resolved === undefined || text === undefined
      ? undefined
      : runCommand(app, 'writeit.step.feedback', { ...resolved.address, text });
  },

  'step.preview': (app, argument) => openPage(app, argument, 'prompt', l10n.t('Preview a prompt')),
  'step.open': (app, argument) => openPage(app, argument, 'step', l10n.t('Open a step')),
};

/** The server's choices for a step, the likeliest first, with their estimates. */
async function listChoices(
  app: App,
  { runId, step }: { readonly runId: string; readonly step: string },
): Promise<readonly ServerAction[]> {
  const actions = await app.runStates.actions(runId);
  return actions.filter(
    ({ command, argument }) => command === 'writeit.step.select' && argument['step'] === step,
  );
}

/** Whether an action chooses the selected lines of a page. */
function choosesSelection({ command, argument }: ServerAction): boolean {
  const part = argument['part'] as { readonly text?: string } | undefined;
  return (
    command === 'writeit.step.select' && (argument['content'] != null || part?.text !== undefined)
  );
}

async function pickAction(
  actions: readonly ServerAction[],
  title: string,
  emptyMessage: string,
): Promise<unknown> {
  const items = actions.map((action) => ({ label: titleOf(action), value: action }));
  const chosen = await pick(items, title, emptyMessage);
  return chosen && vscode.commands.executeCommand(chosen.command, chosen.argument);
}

function askInstruction({ stepName, instruction }: StepState): Thenable<string | undefined> {
  return vscode.window.showInputBox({
    title: l10n.t('Generate {0}', stepName),
    prompt: l10n.t('Instructions for the models, added to the prompt'),
    value: instruction ?? '',
    ignoreFocusOut: true,
  });
}

async function openPage(
  app: App,
  argument: unknown,
  view: string,
  title: string,
): Promise<unknown> {
  const resolved = await resolveStep(app, argument, title);
  return resolved && showDocument(viewUri(view, resolved.address.runId, resolved.address.step));
}

function askFeedback(value: string | null): Thenable<string | undefined> {
  return vscode.window.showInputBox({
    title: l10n.t('Feedback'),
    prompt: l10n.t('Feedback for the next steps'),
    value: value ?? '',
    ignoreFocusOut: true,
  });
}
