import * as vscode from 'vscode';
import type { App } from '../app';
import { runCommand } from '../commandFlows';
import { canChange, canContinue, hasAnswers, isCurrent } from '../eligibility';
import { resolveAnswer, resolveStep } from '../target';
import { pickModels } from '../quickPicks';
import { showDocument } from '../pages/showDocument';
import { viewUri } from '../pages/uris';
import type { Handlers } from './handlers';

export const STEP: Handlers = {
  'step.run': async (app, argument) => {
    const resolved = await resolveStep(app, argument, 'Generate a step', isCurrent);
    return resolved && runCommand(app, 'writeit.step.run', resolved.address);
  },

  'step.askModels': async (app, argument) => {
    const resolved = await resolveStep(app, argument, 'Generate with other models', isCurrent);
    const models = resolved && (await pickModels(app, `Models for ${resolved.step.stepName}`));
    if (resolved === undefined || models === undefined || models.length === 0) {
      return undefined;
    }
    const samples = await askSamples();
    return samples && runCommand(app, 'writeit.step.run', { ...resolved.address, models, samples });
  },

  'step.regenerate': async (app, argument) => {
    const resolved = await resolveStep(app, argument, 'Regenerate a step', canChange);
    return resolved && runCommand(app, 'writeit.step.regenerate', resolved.address);
  },

  'step.continue': async (app, argument) => {
    const title = 'Continue an incomplete answer';
    const resolved = await resolveAnswer(app, argument, title, canContinue);
    const params = resolved && { ...resolved.address, response: resolved.index };
    return params && runCommand(app, 'writeit.step.continue', params);
  },

  'step.choose': async (app, argument) => {
    const resolved = await resolveAnswer(app, argument, 'Choose an answer', canChange);
    const params = resolved && { ...resolved.address, response: resolved.index };
    return params && runCommand(app, 'writeit.step.select', params);
  },

  'step.chooseWithFeedback': async (app, argument) => {
    const title = 'Choose an answer with feedback';
    const resolved = await resolveAnswer(app, argument, title, canChange);
    const feedback = resolved && (await askFeedback(resolved.step.userFeedback));
    if (resolved === undefined || feedback === undefined) {
      return undefined;
    }
    const params = { ...resolved.address, response: resolved.index, feedback };
    return runCommand(app, 'writeit.step.select', params);
  },

  'step.feedback': async (app, argument) => {
    const resolved = await resolveStep(app, argument, 'Give feedback', hasAnswers);
    const text = resolved && (await askFeedback(resolved.step.userFeedback));
    return resolved === undefined || text === undefined
      ? undefined
      : runCommand(app, 'writeit.step.feedback', { ...resolved.address, text });
  },

  'step.skip': async (app, argument) => {
    const resolved = await resolveStep(app, argument, 'Skip a step', isCurrent);
    return resolved && runCommand(app, 'writeit.step.skip', resolved.address);
  },

  'step.preview': (app, argument) => openPage(app, argument, 'prompt', 'Preview a prompt'),
  'step.open': (app, argument) => openPage(app, argument, 'step', 'Open a step'),
};

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
    title: 'Feedback',
    prompt: 'Feedback for the next steps',
    value: value ?? '',
    ignoreFocusOut: true,
  });
}

const MAX_SAMPLES = 10;

async function askSamples(): Promise<number | undefined> {
  const given = await vscode.window.showInputBox({
    title: 'Answers per model',
    value: '1',
    validateInput: (value) =>
      /^\d+$/.test(value) && Number(value) >= 1 && Number(value) <= MAX_SAMPLES
        ? undefined
        : `Enter a number from 1 to ${MAX_SAMPLES}.`,
  });
  return given === undefined ? undefined : Number(given);
}
