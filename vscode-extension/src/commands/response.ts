import * as vscode from 'vscode';
import { act } from '../act';
import { severalAnswers } from '../fits';
import { answerHere, stepHere } from '../here';
import { pickAnswers } from '../pick';
import { show } from '../show';
import { viewUri } from '../uris';
import type { Table } from './table';

export const RESPONSE: Table = {
  'response.open': async (app, argument) => {
    const here = await answerHere(app, argument, 'Open an answer');
    return (
      here && show(viewUri('response', here.runId, here.step.stepName, here.answer.responseId))
    );
  },

  'response.compare': async (app, argument) => {
    const here = await stepHere(app, argument, 'Compare answers of…', severalAnswers);
    if (here === undefined) {
      return undefined;
    }
    const { runId, step } = here;
    const [one, other] =
      step.aiResponses.length === 2
        ? step.aiResponses
        : (await pickAnswers(step, 'Compare two answers')).map(({ answer }) => answer);
    if (one === undefined || other === undefined) {
      void vscode.window.showInformationMessage('WriteIt: two answers make a comparison.');
      return undefined;
    }
    const [left, right] = [one, other].map(({ responseId }) => {
      return { runId, step: step.stepName, response: responseId };
    });
    return act(app, 'writeit.view.open', { view: 'compare', left, right });
  },

  'response.rate': async (app, argument) => {
    const here = await answerHere(app, argument, 'Rate an answer');
    const chosen =
      here && (await vscode.window.showQuickPick(SCORES, { title: 'How good is it?' }));
    if (here === undefined || chosen === undefined) {
      return undefined;
    }
    const { runId, step, index } = here;
    const params = { runId, step: step.stepName, response: index, score: chosen.score };
    return act(app, 'writeit.response.rate', params);
  },
};

const SCORES = [
  { label: 'Excellent', description: '1.0', score: 1 },
  { label: 'Good', description: '0.75', score: 0.75 },
  { label: 'Usable', description: '0.5', score: 0.5 },
  { label: 'Poor', description: '0.25', score: 0.25 },
  { label: 'Useless', description: '0.0', score: 0 },
  { label: 'Take the rating back', description: '', score: null },
];
