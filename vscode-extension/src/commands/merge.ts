import * as vscode from 'vscode';
import { act } from '../act';
import type { App } from '../app';
import { canChange, hasAnswers } from '../fits';
import { answerHere, stepHere, targetOf, type StepHere } from '../here';
import { pickAnswers, pickModels } from '../pick';
import type { Passage } from '../protocol';
import { placeOf } from '../uris';
import { offersAt } from '../scene';
import { sketch } from '../words';
import type { Table } from './table';

export const MERGE: Table = {
  'merge.take': async (app, argument) => take(app, argument),

  'merge.use': async (app, argument) => {
    const here = await stepHere(app, argument, 'Use the merge of…', hasAnswers);
    return here && act(app, 'writeit.step.merge', { runId: here.runId, step: here.step.stepName });
  },

  'merge.answers': async (app, argument) => {
    const here = await stepHere(app, argument, 'Join answers of…', hasAnswers);
    const answers = here && (await pickAnswers(here.step, 'Join these answers, as they stand'));
    if (here === undefined || answers === undefined || answers.length === 0) {
      return undefined;
    }
    const responses = answers.map(({ index }) => index);
    return act(app, 'writeit.step.merge', {
      runId: here.runId,
      step: here.step.stepName,
      responses,
    });
  },

  'merge.arrange': async (app, argument) => {
    const here = await stepHere(app, argument, 'Arrange the merge of…', hasPassages);
    const passages = here && (await arrange(here.step.passages));
    return here && passages && openMerge(app, here, passages.map(({ text }) => text).join('\n\n'));
  },

  'merge.byModel': async (app, argument) => {
    const here = await stepHere(app, argument, 'Let a model join…', hasAnswers);
    const instruction = here && (await askInstruction());
    const models = instruction && (await pickModels(app, 'Which model joins them?'));
    if (here === undefined || !instruction || models === undefined || models === '') {
      return undefined;
    }
    const { runId, step } = here;
    const responses = step.passages.length > 0 ? [] : step.aiResponses.map((_, index) => index);
    const params = { runId, step: step.stepName, responses, instruction, model: models[0] };
    return act(app, 'writeit.step.merge', params);
  },

  'draft.edit': async (app, argument) => {
    const here = await answerHere(app, argument, 'Reword an answer, then choose it', canChange);
    if (here === undefined) {
      return undefined;
    }
    const { runId, step, index, answer } = here;
    const draft = { runId, step: step.stepName, response: index };
    return app.drafts.open(draft, answer.processedContent);
  },

  'draft.use': async (app) => {
    const document = vscode.window.activeTextEditor?.document;
    const draft = document && app.drafts.of(document.uri);
    if (document === undefined || draft === undefined) {
      return undefined;
    }
    const { runId, step, response } = draft;
    const content = document.getText();
    const done =
      response === undefined
        ? await act(app, 'writeit.step.merge', { runId, step, content })
        : await act(app, 'writeit.step.select', { runId, step, response, content });
    if (done !== undefined) {
      await close(document);
    }
    return done;
  },

  'draft.leave': async (app) => {
    const document = vscode.window.activeTextEditor?.document;
    if (document !== undefined && app.drafts.of(document.uri) !== undefined) {
      await close(document);
    }
  },
};

async function close(document: vscode.TextDocument): Promise<void> {
  await vscode.window.showTextDocument(document);
  await vscode.commands.executeCommand('workbench.action.revertAndCloseActiveEditor');
}

function hasPassages(step: { readonly passages: readonly unknown[] }): boolean {
  return step.passages.length > 0;
}

function openMerge(app: App, { runId, step }: StepHere, content: string): Promise<unknown> {
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
async function take(app: App, argument: unknown): Promise<unknown> {
  const editor = vscode.window.activeTextEditor;
  const text = editor?.document.getText(editor.selection) ?? '';
  if (editor === undefined || placeOf(editor.document.uri) === undefined || text.trim() === '') {
    void vscode.window.showInformationMessage('WriteIt: select a passage of an answer first.');
    return undefined;
  }
  const offers = await offersAt(app.server, editor.document.uri, editor.selection);
  const offer = offers.find(({ command }) => command === 'writeit.step.take');
  if (offer !== undefined) {
    return vscode.commands.executeCommand(offer.command, offer.argument);
  }
  const here = await answerHere(app, targetOf(argument), 'Which answer is this passage of?');
  return (
    here &&
    act(app, 'writeit.step.take', {
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
const OUT: vscode.QuickInputButton = {
  iconPath: new vscode.ThemeIcon('close'),
  tooltip: 'Leave out',
};

/** Put passages in order; Enter opens them as one text that can be edited. */
function arrange(passages: readonly Passage[]): Promise<readonly Passage[] | undefined> {
  const box = vscode.window.createQuickPick<Item>();
  box.title = 'Arrange the merge: the buttons move and leave out, Enter opens it as a text';
  box.items = passages.map(item);
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

function item(passage: Passage, index: number): Item {
  return { label: `${index + 1}. ${sketch(passage.text)}`, passage, buttons: [UP, OUT] };
}
