import * as vscode from 'vscode';
import { l10n } from 'vscode';
import { runCommand } from '../commandFlows';
import type { App } from '../app';
import { canChoose, hasAnswers } from '../eligibility';
import { inform } from '../followUps';
import { resolveAnswer, resolveStep, targetOf } from '../target';
import { accepted, pickAnswers, pickModels } from '../quickPicks';
import type { Passage } from '../protocol';
import { parseViewUri } from '../pages/uris';
import { listActions } from '../serverActions';
import { excerpt } from '../wording';
import { onStep, type Handlers } from './handlers';

export const MERGE: Handlers = {
  'merge.take': (app, argument) => addSelectionToMerge(app, argument),
  'merge.use': onStep('writeit.step.merge', l10n.t('Use the merge of a step'), hasAnswers),

  'merge.answers': async (app, argument) => {
    const resolved = await resolveStep(
      app,
      argument,
      l10n.t('Merge answers of a step'),
      hasAnswers,
    );
    const answers =
      resolved &&
      (await pickAnswers(app, resolved.address.runId, resolved.step, l10n.t('Answers to merge')));
    if (resolved === undefined || answers === undefined || answers.length === 0) {
      return undefined;
    }
    const responses = answers.map(({ responseId }) => responseId);
    return runCommand(app, 'writeit.step.merge', { ...resolved.address, responses });
  },

  'merge.arrange': async (app, argument) => {
    const resolved = await resolveStep(
      app,
      argument,
      l10n.t('Edit the merge of a step'),
      hasPassages,
    );
    const passages = resolved && (await orderPassages(resolved.step.passages));
    const text = passages?.map((passage) => passage.text).join('\n\n');
    return resolved && text !== undefined ? app.drafts.open(resolved.address, text) : undefined;
  },

  'merge.byModel': async (app, argument) => {
    const resolved = await resolveStep(app, argument, l10n.t('Merge with a model'), hasAnswers);
    const instruction = resolved && (await askInstruction());
    if (resolved === undefined || !instruction) {
      return undefined;
    }
    const { address, run, step } = resolved;
    const [model] =
      run.lastModels.length > 0
        ? run.lastModels
        : ((await pickModels(app, l10n.t('Model that merges the answers'))) ?? []);
    const all = step.aiResponses.map(({ responseId }) => responseId);
    const responses = step.passages.length > 0 ? [] : all;
    const params = { ...address, responses, instruction, model };
    return model && runCommand(app, 'writeit.step.merge', params);
  },

  'draft.edit': async (app, argument) => {
    const resolved = await resolveAnswer(
      app,
      argument,
      l10n.t('Edit and choose an answer'),
      canChoose,
    );
    const draft = resolved && { ...resolved.address, answer: resolved.answer };
    return draft && app.drafts.open(draft, resolved.answer.processedContent);
  },

  'draft.use': async (app) => {
    const document = vscode.window.activeTextEditor?.document;
    const draft = document && app.drafts.get(document.uri);
    if (document === undefined || draft === undefined) {
      return undefined;
    }
    const { runId, step, answer } = draft;
    const response = answer?.responseId;
    const content = document.getText();
    const done =
      response === undefined
        ? await runCommand(app, 'writeit.step.merge', { runId, step, content })
        : await runCommand(app, 'writeit.step.select', { runId, step, response, content });
    if (done !== undefined) {
      await closeDraft(document);
    }
    return done;
  },

  'draft.leave': async (app) => {
    const document = vscode.window.activeTextEditor?.document;
    if (document !== undefined && app.drafts.get(document.uri) !== undefined) {
      await closeDraft(document);
    }
  },
};

async function closeDraft(document: vscode.TextDocument): Promise<void> {
  await vscode.window.showTextDocument(document);
  await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
}

function hasPassages(step: { readonly passages: readonly unknown[] }): boolean {
  return step.passages.length > 0;
}

function askInstruction(): Thenable<string | undefined> {
  return vscode.window.showInputBox({
    title: l10n.t('Merge with a model'),
    prompt: l10n.t('Instruction for the model'),
    value: l10n.t('Merge these into one text. Keep the best of each.'),
    ignoreFocusOut: true,
  });
}

/** Add the selection to the merge. The server tells which answer it belongs to. */
async function addSelectionToMerge(app: App, argument: unknown): Promise<unknown> {
  const editor = vscode.window.activeTextEditor;
  const text = editor?.document.getText(editor.selection) ?? '';
  if (
    editor === undefined ||
    parseViewUri(editor.document.uri) === undefined ||
    text.trim() === ''
  ) {
    inform(l10n.t('Select a passage of an answer first.'));
    return undefined;
  }
  const actions = await listActions(app.server, editor.document.uri, editor.selection);
  const action = actions.find(({ command }) => command === 'writeit.step.take');
  if (action !== undefined) {
    return vscode.commands.executeCommand(action.command, action.argument);
  }
  const resolved = await resolveAnswer(
    app,
    targetOf(argument),
    l10n.t('Answer that the passage is from'),
  );
  const params = resolved && { ...resolved.response, text };
  return params && runCommand(app, 'writeit.step.take', params);
}

type Item = vscode.QuickPickItem & { readonly passage: Passage };

const UP: vscode.QuickInputButton = {
  iconPath: new vscode.ThemeIcon('arrow-up'),
  tooltip: l10n.t('Move up'),
};
const REMOVE: vscode.QuickInputButton = {
  iconPath: new vscode.ThemeIcon('close'),
  tooltip: l10n.t('Remove'),
};

/** Order and remove passages; Enter opens the rest as one text. */
function orderPassages(passages: readonly Passage[]): Promise<readonly Passage[] | undefined> {
  const box = vscode.window.createQuickPick<Item>();
  box.title = l10n.t('Edit the merge: move or remove passages, press Enter to open the text');
  box.items = passages.map(passageItem);
  box.ignoreFocusOut = true;
  box.onDidTriggerItemButton(({ button, item: chosen }) => {
    const rest = box.items.filter((item) => item !== chosen);
    const index = Math.max(0, box.items.indexOf(chosen) - 1);
    box.items = button === UP ? rest.toSpliced(index, 0, chosen) : rest;
    box.activeItems = [chosen];
  });
  return accepted(box, () => box.items.map(({ passage }) => passage));
}

function passageItem(passage: Passage, index: number): Item {
  return { label: `${index + 1}. ${excerpt(passage.text)}`, passage, buttons: [UP, REMOVE] };
}
