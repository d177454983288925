import * as vscode from 'vscode';
import { runCommand } from '../commandFlows';
import { canChange, hasAnswers, isCurrent } from '../eligibility';
import { resolveAnswer, resolveStep } from '../target';
import { pickModels } from '../quickPicks';
import { showDocument } from '../pages/showDocument';
import { viewUri } from '../pages/uris';
import type { Handlers } from './handlers';

export const STEP: Handlers = {
  'step.run': async (app, argument) => {
    const resolved = await resolveStep(app, argument, 'Generate a step', isCurrent);
    return (
      resolved &&
      runCommand(app, 'writeit.step.run', { runId: resolved.runId, step: resolved.step.stepName })
    );
  },

  'step.askModels': async (app, argument) => {
    const resolved = await resolveStep(app, argument, 'Generate with other models', isCurrent);
    const models = resolved && (await pickModels(app, `Models for ${resolved.step.stepName}`));
    if (resolved === undefined || models === undefined || models.length === 0) {
      return undefined;
    }
    const samples = await askSamples();
    const params = { runId: resolved.runId, step: resolved.step.stepName, models };
    return samples && runCommand(app, 'writeit.step.run', { ...params, samples });
  },

  'step.regenerate': async (app, argument) => {
    const resolved = await resolveStep(app, argument, 'Regenerate a step', canChange);
    const step = resolved?.step.stepName;
    return resolved && runCommand(app, 'writeit.step.regenerate', { runId: resolved.runId, step });
  },

  'step.choose': async (app, argument) => {
    const resolved = await resolveAnswer(app, argument, 'Choose an answer', canChange);
    if (resolved === undefined) {
      return undefined;
    }
    const { runId, step, index } = resolved;
    return runCommand(app, 'writeit.step.select', { runId, step: step.stepName, response: index });
  },

  'step.chooseWithFeedback': async (app, argument) => {
    const resolved = await resolveAnswer(
      app,
      argument,
      'Choose an answer with feedback',
      canChange,
    );
    const feedback = resolved && (await askFeedback(resolved.step.userFeedback));
    if (resolved === undefined || feedback === undefined) {
      return undefined;
    }
    const { runId, step, index } = resolved;
    const params = { runId, step: step.stepName, response: index, feedback };
    return runCommand(app, 'writeit.step.select', params);
  },

  'step.feedback': async (app, argument) => {
    const resolved = await resolveStep(app, argument, 'Give feedback', hasAnswers);
    const text = resolved && (await askFeedback(resolved.step.userFeedback));
    if (resolved === undefined || text === undefined) {
      return undefined;
    }
    return runCommand(app, 'writeit.step.feedback', {
      runId: resolved.runId,
      step: resolved.step.stepName,
      text,
    });
  },

  'step.skip': async (app, argument) => {
    const resolved = await resolveStep(app, argument, 'Skip a step', isCurrent);
    return (
      resolved &&
      runCommand(app, 'writeit.step.skip', { runId: resolved.runId, step: resolved.step.stepName })
    );
  },

  'step.preview': async (app, argument) => {
    const resolved = await resolveStep(app, argument, 'Preview the prompt of a step');
    return resolved && showDocument(viewUri('prompt', resolved.runId, resolved.step.stepName));
  },

  'step.open': async (app, argument) => {
    const resolved = await resolveStep(app, argument, 'Open a step');
    return resolved && showDocument(viewUri('step', resolved.runId, resolved.step.stepName));
  },
};

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
