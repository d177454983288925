import * as vscode from 'vscode';
import { act, startShowing } from '../act';
import type { App } from '../app';
import { folderOf } from '../folders';
import { documentOf, runHere, targetOf } from '../here';
import { pick, pickAmong, pickPipeline } from '../pick';
import type { Contest } from '../contested';
import { compareWithDocument, contestedWords, keepHers, nameOf } from '../landed';
import type { Waiting } from '../pending';
import { lookedAt, offersAt, type Offer } from '../scene';
import type { Table } from './table';

export const DOCUMENT: Table = {
  'document.start': async (app, argument) => {
    const uri = documentOf(argument);
    const named = (argument as { readonly pipeline?: string } | undefined)?.pipeline;
    const pipeline = named ?? (await pickPipeline(app, 'document', 'Start a pipeline', uri))?.name;
    return pipeline === undefined
      ? undefined
      : startShowing(app, { pipeline, uri: uri?.toString(), folder: folderOf(uri) });
  },

  'document.polish': (app, argument) => polish(app, argument, false),
  'document.polishWithWords': (app, argument) => polish(app, argument, true),

  'document.frontMatter': async (app, argument) => {
    const uri = needed(documentOf(argument));
    const pipeline = uri && (await pickPipeline(app, 'document', 'Bind this document to…', uri));
    const params = pipeline && { uri: uri.toString(), pipeline: pipeline.name };
    return params && act(app, 'writeit.document.frontMatter', params);
  },

  'document.offers': async (app, argument) => {
    const editor = vscode.window.activeTextEditor;
    const uri = argument instanceof vscode.Uri ? argument : needed(editor?.document.uri);
    if (uri === undefined) {
      return undefined;
    }
    const offers = await offersAt(app.server, uri, editor?.selection);
    const items = offers
      .filter(({ command }) => command.startsWith('writeit.'))
      .map((offer) => ({ label: offer.title.replace(/^WriteIt: /, ''), value: offer }));
    const chosen = await pick(items, 'What fits here', 'nothing is offered here.');
    return chosen && vscode.commands.executeCommand(chosen.command, chosen.argument);
  },

  'document.apply': async (app, argument) => {
    const run = await runHere(app, argument, 'Apply the text of…');
    return run && act(app, 'writeit.step.apply', { runId: run.pipelineRunId });
  },

  'document.applyAs': async (app, argument) => {
    const run = await runHere(app, argument, 'Apply the text of…');
    const mode = run && (await pick(MODES, 'Apply the text…', 'there is no way to apply it.'));
    return mode && act(app, 'writeit.step.apply', { runId: run.pipelineRunId, mode });
  },

  'document.restore': async (app, argument) => {
    const { runId = await restorable(app) } = targetOf(argument);
    return runId === undefined ? undefined : act(app, 'writeit.edit.restore', { runId });
  },

  'document.settle': async (app) => {
    const items = [
      ...app.pending.all.flatMap(waitingItems),
      ...app.contests.all.flatMap(contestItems),
    ];
    const chosen = await pick(items, 'Not settled yet', 'nothing waits.');
    return chosen?.(app);
  },
};

/** The run whose text is to be taken out: the document's own, or that of a polish. */
async function restorable(app: App): Promise<string | undefined> {
  const uri = lookedAt()?.uri;
  const offers = uri === undefined ? [] : await offersAt(app.server, uri);
  const items = offers.filter(restores).map(({ title, argument }) => ({
    label: title.replace(/^WriteIt: /, ''),
    value: String(argument['runId']),
  }));
  return pickAmong(items, 'Restore', 'no text of a run stands in this document.');
}

function restores({ command }: Offer): boolean {
  return command === 'writeit.edit.restore';
}

interface Way extends vscode.QuickPickItem {
  readonly value: (app: App) => Promise<unknown>;
}

function waitingItems({ runId, step, uri, again }: Waiting): Way[] {
  const name = nameOf(uri);
  return [
    {
      label: `Put the text of ${step} into ${name}`,
      description: 'it waits: you were typing',
      value: (app) => act(app, 'writeit.step.apply', again),
    },
    {
      label: `Compare ${name} with the text of ${step}`,
      description: 'nothing is changed',
      value: (app) => compareWithDocument(app, runId, step, uri),
    },
  ];
}

function contestItems(contest: Contest): Way[] {
  const { runId, step, uri } = contest;
  const name = nameOf(uri);
  return [
    {
      label: `Compare ${name} with the text of ${step}`,
      description: contestedWords(contest),
      value: (app) => compareWithDocument(app, runId, step, uri),
    },
    {
      label: `Keep my words in ${name}`,
      description: 'nothing is changed, and this is settled',
      value: (app) => keepHers(app, runId),
    },
  ];
}

const MODES = [
  { label: 'As a new file', description: 'beside the notes', value: 'new_file' as const },
  { label: 'In place of the text', description: 'one edit, one undo', value: 'replace' as const },
  { label: 'Where it was started', description: 'nothing is replaced', value: 'insert' as const },
];

function needed(uri: vscode.Uri | undefined): vscode.Uri | undefined {
  if (uri === undefined) {
    void vscode.window.showInformationMessage('WriteIt: open a markdown document first.');
  }
  return uri;
}

/** The likeliest of what rewrites a passage. */
const POLISH = 'polish-passage';

async function polish(app: App, argument: unknown, words: boolean): Promise<unknown> {
  const editor = vscode.window.activeTextEditor;
  const uri = needed(documentOf(argument));
  if (uri === undefined) {
    return undefined;
  }
  const pipeline = await pickPipeline(app, 'selection', 'Rewrite with…', uri, POLISH);
  const instruction = pipeline && words ? await askInstruction() : '';
  if (pipeline === undefined || instruction === undefined) {
    return undefined;
  }
  const selected =
    editor?.document.uri.toString() === uri.toString() ? editor.selection : undefined;
  return act(app, 'writeit.document.polish', {
    uri: uri.toString(),
    pipeline: pipeline.name,
    apply: true,
    ...(selected === undefined || selected.isEmpty ? {} : { range: range(selected) }),
    ...(instruction === '' ? {} : { instruction }),
  });
}

function range({ start, end }: vscode.Range): { start: Place; end: Place } {
  return {
    start: { line: start.line, character: start.character },
    end: { line: end.line, character: end.character },
  };
}

interface Place {
  readonly line: number;
  readonly character: number;
}

function askInstruction(): Thenable<string | undefined> {
  return vscode.window.showInputBox({
    title: 'Rewrite the passage',
    prompt: 'What should be different?',
    ignoreFocusOut: true,
  });
}
