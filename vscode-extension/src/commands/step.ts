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
    const here = await resolveStep(app, argument, 'Run a step', isCurrent);
    return (
      here && runCommand(app, 'writeit.step.run', { runId: here.runId, step: here.step.stepName })
    );
  },

  'step.askModels': async (app, argument) => {
    const here = await resolveStep(app, argument, 'Run a step with other models', isCurrent);
    const models = here && (await pickModels(app, `Ask ${here.step.stepName} of…`));
    if (here === undefined || models === undefined || models.length === 0) {
      return undefined;
    }
    const samples = await askSamples();
    const params = { runId: here.runId, step: here.step.stepName, models };
    return samples && runCommand(app, 'writeit.step.run', { ...params, samples });
  },

  'step.regenerate': async (app, argument) => {
    const here = await resolveStep(app, argument, 'Ask a step anew', canChange);
    const step = here?.step.stepName;
    return here && runCommand(app, 'writeit.step.regenerate', { runId: here.runId, step });
  },

  'step.choose': async (app, argument) => {
    const here = await resolveAnswer(app, argument, 'Choose an answer', canChange);
    if (here === undefined) {
      return undefined;
    }
    const { runId, step, index } = here;
    return runCommand(app, 'writeit.step.select', { runId, step: step.stepName, response: index });
  },

  'step.chooseWithFeedback': async (app, argument) => {
    const here = await resolveAnswer(
      app,
      argument,
      'Choose an answer, and say something',
      canChange,
    );
    const feedback = here && (await askFeedback(here.step.userFeedback));
    if (here === undefined || feedback === undefined) {
      return undefined;
    }
    const { runId, step, index } = here;
    const params = { runId, step: step.stepName, response: index, feedback };
    return runCommand(app, 'writeit.step.select', params);
  },

  'step.feedback': async (app, argument) => {
    const here = await resolveStep(app, argument, 'Give feedback', hasAnswers);
    const text = here && (await askFeedback(here.step.userFeedback));
    if (here === undefined || text === undefined) {
      return undefined;
    }
    return runCommand(app, 'writeit.step.feedback', {
      runId: here.runId,
      step: here.step.stepName,
      text,
    });
  },

  'step.skip': async (app, argument) => {
    const here = await resolveStep(app, argument, 'Skip a step', isCurrent);
    return (
      here && runCommand(app, 'writeit.step.skip', { runId: here.runId, step: here.step.stepName })
    );
  },

  'step.preview': async (app, argument) => {
    const here = await resolveStep(app, argument, 'Preview the prompt of a step');
    return here && showDocument(viewUri('prompt', here.runId, here.step.stepName));
  },

  'step.open': async (app, argument) => {
    const here = await resolveStep(app, argument, 'Open a step');
    return here && showDocument(viewUri('step', here.runId, here.step.stepName));
  },
};

function askFeedback(value: string | null): Thenable<string | undefined> {
  return vscode.window.showInputBox({
    title: 'Feedback',
    prompt: 'What should the models know from here on?',
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
        : `A number from 1 to ${MAX_SAMPLES}.`,
  });
  return given === undefined ? undefined : Number(given);
}
