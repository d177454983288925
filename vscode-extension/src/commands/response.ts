import * as vscode from 'vscode';
import { runCommand } from '../commandFlows';
import { hasSeveralAnswers } from '../eligibility';
import { resolveAnswer, resolveStep } from '../target';
import { pickAnswers } from '../quickPicks';
import { showDocument } from '../pages/showDocument';
import { viewUri } from '../pages/uris';
import type { Handlers } from './handlers';

export const RESPONSE: Handlers = {
  'response.open': async (app, argument) => {
    const resolved = await resolveAnswer(app, argument, 'Open an answer');
    if (resolved === undefined) {
      return undefined;
    }
    const { address, answer } = resolved;
    return showDocument(viewUri('response', address.runId, address.step, answer.responseId));
  },

  'response.compare': async (app, argument) => {
    const resolved = await resolveStep(
      app,
      argument,
      'Compare answers of a step',
      hasSeveralAnswers,
    );
    if (resolved === undefined) {
      return undefined;
    }
    const { address, step } = resolved;
    const [first, second] =
      step.aiResponses.length === 2
        ? step.aiResponses
        : (await pickAnswers(step, 'Choose two answers to compare')).map(({ answer }) => answer);
    if (first === undefined || second === undefined) {
      void vscode.window.showInformationMessage('WriteIt: Choose two answers to compare.');
      return undefined;
    }
    const [left, right] = [first, second].map(({ responseId }) => {
      return { ...address, response: responseId };
    });
    return runCommand(app, 'writeit.view.open', { view: 'compare', left, right });
  },

  'response.rate': async (app, argument) => {
    const resolved = await resolveAnswer(app, argument, 'Rate an answer');
    const chosen =
      resolved && (await vscode.window.showQuickPick(SCORES, { title: 'How good is it?' }));
    if (resolved === undefined || chosen === undefined) {
      return undefined;
    }
    const params = { ...resolved.address, response: resolved.index, score: chosen.score };
    return runCommand(app, 'writeit.response.rate', params);
  },
};

const SCORES = [
  { label: 'Excellent', description: '1.0', score: 1 },
  { label: 'Good', description: '0.75', score: 0.75 },
  { label: 'Usable', description: '0.5', score: 0.5 },
  { label: 'Poor', description: '0.25', score: 0.25 },
  { label: 'Useless', description: '0.0', score: 0 },
  { label: 'Remove the rating', description: '', score: null },
];
