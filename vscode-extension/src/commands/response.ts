import * as vscode from 'vscode';
import { l10n } from 'vscode';
import { runCommand } from '../commandFlows';
import { hasSeveralAnswers, isStreaming } from '../eligibility';
import { inform } from '../followUps';
import { resolveAnswer, resolveStep } from '../target';
import { pickAnswers, pickUnlessSingle } from '../quickPicks';
import { showDocument } from '../pages/showDocument';
import { viewUri } from '../pages/uris';
import { answerLabel, answerName } from '../wording';
import type { Handlers } from './handlers';

export const RESPONSE: Handlers = {
  'response.open': async (app, argument) => {
    const resolved = await resolveAnswer(app, argument, l10n.t('Open an answer'));
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
      l10n.t('Compare answers of a step'),
      hasSeveralAnswers,
    );
    if (resolved === undefined) {
      return undefined;
    }
    const { address, step } = resolved;
    const [first, second] =
      step.aiResponses.length === 2
        ? [...step.aiResponses].sort((a, b) => answerName(a).localeCompare(answerName(b)))
        : await pickAnswers(app, address.runId, step, l10n.t('Choose two answers to compare'));
    if (first === undefined || second === undefined) {
      inform(l10n.t('Choose two answers to compare.'));
      return undefined;
    }
    const [left, right] = [first, second].map(({ responseId }) => {
      return { ...address, response: responseId };
    });
    return runCommand(app, 'writeit.view.open', { view: 'compare', left, right });
  },

  'response.stop': async (app, argument) => {
    const title = l10n.t('Stop an answer');
    const resolved = await resolveStep(app, argument, title, isStreaming);
    const items = (resolved?.step.streaming ?? []).map((answer) => ({
      label: answerLabel(answer, answer.model),
      value: answer.responseId,
    }));
    const responseId =
      resolved && (await pickUnlessSingle(items, title, l10n.t('No answer is being generated.')));
    const params = responseId && { runId: resolved.address.runId, responseId };
    return params && runCommand(app, 'writeit.response.stop', params);
  },

  'response.rate': async (app, argument) => {
    const resolved = await resolveAnswer(app, argument, l10n.t('Rate an answer'));
    const chosen =
      resolved && (await vscode.window.showQuickPick(SCORES, { title: l10n.t('How good is it?') }));
    if (resolved === undefined || chosen === undefined) {
      return undefined;
    }
    const params = { ...resolved.response, score: chosen.score };
    return runCommand(app, 'writeit.response.rate', params);
  },
};

const SCORES = [
  { label: l10n.t('Excellent'), description: l10n.t('{0} of 5', 5), score: 1 },
  { label: l10n.t('Good'), description: l10n.t('{0} of 5', 4), score: 0.8 },
  { label: l10n.t('Usable'), description: l10n.t('{0} of 5', 3), score: 0.6 },
  { label: l10n.t('Poor'), description: l10n.t('{0} of 5', 2), score: 0.4 },
  { label: l10n.t('Useless'), description: l10n.t('{0} of 5', 1), score: 0.2 },
  { label: l10n.t('Remove the rating'), description: '', score: null },
];
