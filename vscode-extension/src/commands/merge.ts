import * as vscode from 'vscode';
import { runCommand } from '../commandFlows';
import type { App } from '../app';
import { canChange, hasAnswers } from '../eligibility';
import { resolveAnswer, resolveStep, targetOf, type ResolvedStep } from '../target';
import { pickAnswers, pickModels } from '../quickPicks';
import type { Passage } from '../protocol';
import { parseViewUri } from '../pages/uris';
import { listActions } from '../editorContext';
import { excerpt } from '../wording';
import type { Handlers } from './handlers';

export const MERGE: Handlers = {
  'merge.take': async (app, argument) => addSelectionToMerge(app, argument),

  'merge.use': async (app, argument) => {
    const here = await resolveStep(app, argument, 'Use the merge of…', hasAnswers);
    return (
      here && runCommand(app, 'writeit.step.merge', { runId: here.runId, step: here.step.stepName })
    );
  },

  'merge.answers': async (app, argument) => {
    const here = await resolveStep(app, argument, 'Join answers of…', hasAnswers);
    const answers = here && (await pickAnswers(here.step, 'Join these answers, as they stand'));
    if (here === undefined || answers === undefined || answers.length === 0) {
      return undefined;
    }
    const responses = answers.map(({ index }) => index);
    return runCommand(app, 'writeit.step.merge', {
      runId: here.runId,
      step: here.step.stepName,
      responses,
    });
  },

  'merge.arrange': async (app, argument) => {
    const here = await resolveStep(app, argument, 'Arrange the merge of…', hasPassages);
    const passages = here && (await arrange(here.step.passages));
    return here && passages && openMerge(app, here, passages.map(({ text }) => text).join('\n\n'));
  },

  'merge.byModel': async (app, argument) => {
    const here = await resolveStep(app, argument, 'Let a model join…', hasAnswers);
    const instruction = here && (await askInstruction());
    const models = instruction && (await pickModels(app, 'Which model joins them?'));
    if (here === undefined || !instruction || models === undefined || models === '') {
      return undefined;
    }
    const { runId, step } = here;
    const responses = step.passages.length > 0 ? [] : step.aiResponses.map((_, index) => index);
    const params = { runId, step: step.stepName, responses, instruction, model: models[0] };
    return runCommand(app, 'writeit.step.merge', params);
  },

  'draft.edit': async (app, argument) => {
    const here = await resolveAnswer(app, argument, 'Reword an answer, then choose it', canChange);
    if (here === undefined) {
      return undefined;
    }
    const { runId, step, index, answer } = here;
    const draft = { runId, step: step.stepName, response: index };
    return app.drafts.open(draft, answer.processedContent);
  },

  'draft.use': async (app) => {
    const document = vscode.window.activeTextEditor?.document;
    const draft = document && app.drafts.get(document.uri);
    if (document === undefined || draft === undefined) {
      return undefined;
    }
    const { runId, step, response } = draft;
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

function openMerge(app: App, { runId, step }: ResolvedStep, content: string): Promise<unknown> {
  return app.drafts.open({ runId, step: step.stepName }, content);
}

function askInstruction(): Thenable<string | undefined> {
  return vscode.window.showInputBox({
    title: 'Join the parts',
    prompt: 'How should the model join them?',
    value: 'Join these into one text; keep the best of each.',
    ignoreFocusOut: true,
  });
}

/** Which answer a selection in a step's page belongs to is the server's to say. */
async function addSelectionToMerge(app: App, argument: unknown): Promise<unknown> {
  const editor = vscode.window.activeTextEditor;
  const text = editor?.document.getText(editor.selection) ?? '';
  if (
    editor === undefined ||
    parseViewUri(editor.document.uri) === undefined ||
    text.trim() === ''
  ) {
    void vscode.window.showInformationMessage('WriteIt: select a passage of an answer first.');
    return undefined;
  }
  const offers = await listActions(app.server, editor.document.uri, editor.selection);
  const offer = offers.find(({ command }) => command === 'writeit.step.take');
  if (offer !== undefined) {
    return vscode.commands.executeCommand(offer.command, offer.argument);
  }
  const here = await resolveAnswer(app, targetOf(argument), 'Which answer is this passage of?');
  return (
    here &&
    runCommand(app, 'writeit.step.take', {
      runId: here.runId,
      step: here.step.stepName,
      response: here.index,
      text,
    })
  );
}

type Item = vscode.QuickPickItem & { readonly passage: Passage };

const UP: vscode.QuickInputButton = {
  iconPath: new vscode.ThemeIcon('arrow-up'),
  tooltip: 'Move up',
};
const REMOVE: vscode.QuickInputButton = {
  iconPath: new vscode.ThemeIcon('close'),
  tooltip: 'Leave out',
};

/** Put passages in order; Enter opens them as one text that can be edited. */
function arrange(passages: readonly Passage[]): Promise<readonly Passage[] | undefined> {
  const box = vscode.window.createQuickPick<Item>();
  box.title = 'Arrange the merge: the buttons move and leave out, Enter opens it as a text';
  box.items = passages.map(passageItem);
  box.ignoreFocusOut = true;
  return new Promise((resolve) => {
    box.onDidTriggerItemButton(({ button, item: chosen }) => {
      const rest = box.items.filter((one) => one !== chosen);
      const place = Math.max(0, box.items.indexOf(chosen) - 1);
      box.items = button === UP ? rest.toSpliced(place, 0, chosen) : rest;
      box.activeItems = [chosen];
    });
    box.onDidAccept(() => {
      resolve(box.items.map(({ passage }) => passage));
      box.dispose();
    });
    box.onDidHide(() => {
      resolve(undefined);
      box.dispose();
    });
    box.show();
  });
}

function passageItem(passage: Passage, index: number): Item {
  return { label: `${index + 1}. ${excerpt(passage.text)}`, passage, buttons: [UP, REMOVE] };
}
