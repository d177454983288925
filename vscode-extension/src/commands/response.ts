import * as vscode from 'vscode';
import { runCommand } from '../commandFlows';
import { hasSeveralAnswers, isStreaming } from '../eligibility';
import { resolveAnswer, resolveStep } from '../target';
import { pickAnswers, pickUnlessSingle } from '../quickPicks';
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
        : await pickAnswers(app, address.runId, step, 'Choose two answers to compare');
    if (first === undefined || second === undefined) {
      void vscode.window.showInformationMessage('WriteIt: Choose two answers to compare.');
      return undefined;
    }
    const [left, right] = [first, second].map(({ responseId }) => {
      return { ...address, response: responseId };
    });
    return runCommand(app, 'writeit.view.open', { view: 'compare', left, right });
  },

  'response.stop': async (app, argument) => {
    const title = 'Stop an answer';
    const resolved = await resolveStep(app, argument, title, isStreaming);
    const items = (resolved?.step.streaming ?? []).map(({ responseId, number, model }) => ({
      label: `Answer ${number}: ${model}`,
      value: responseId,
    }));
    const responseId = resolved && (await pickUnlessSingle(items, title, 'No answer streams.'));
    const params = responseId && { runId: resolved.address.runId, responseId };
    return params && runCommand(app, 'writeit.response.stop', params);
  },

  'response.rate': async (app, argument) => {
    const resolved = await resolveAnswer(app, argument, 'Rate an answer');
    const chosen =
      resolved && (await vscode.window.showQuickPick(SCORES, { title: 'How good is it?' }));
    if (resolved === undefined || chosen === undefined) {
      return undefined;
    }
    const params = { ...resolved.response, score: chosen.score };
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
