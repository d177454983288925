import * as vscode from 'vscode';
import { runCommand, startWithAllInputs } from '../commandFlows';
import type { App } from '../app';
import { folderOf } from '../folders';
import { documentOf, resolveRun, targetOf } from '../target';
import { pick, pickUnlessSingle, pickPipeline } from '../quickPicks';
import type { DocumentConflicts } from '../apply/conflicts';
import {
  compareWithDocument,
  conflictSummary,
  keepUserText,
  displayPath,
} from '../apply/applyOutcome';
import type { PendingApply } from '../apply/pendingApplies';
import { currentDocument, listActions, type ServerAction } from '../editorContext';
import type { Handlers } from './handlers';

export const DOCUMENT: Handlers = {
  'document.start': async (app, argument) => {
    const uri = documentOf(argument);
    const named = (argument as { readonly pipeline?: string } | undefined)?.pipeline;
    const pipeline = named ?? (await pickPipeline(app, 'document', 'Start a pipeline', uri))?.name;
    return pipeline === undefined
      ? undefined
      : startWithAllInputs(app, { pipeline, uri: uri?.toString(), folder: folderOf(uri) });
  },

  'document.polish': (app, argument) => polish(app, argument, false),
  'document.polishWithWords': (app, argument) => polish(app, argument, true),

  'document.frontMatter': async (app, argument) => {
    const uri = requireDocument(documentOf(argument));
    const pipeline = uri && (await pickPipeline(app, 'document', 'Bind this document to…', uri));
    const params = pipeline && { uri: uri.toString(), pipeline: pipeline.name };
    return params && runCommand(app, 'writeit.document.frontMatter', params);
  },

  'document.offers': async (app, argument) => {
    const editor = vscode.window.activeTextEditor;
    const uri = argument instanceof vscode.Uri ? argument : requireDocument(editor?.document.uri);
    if (uri === undefined) {
      return undefined;
    }
    const offers = await listActions(app.server, uri, editor?.selection);
    const items = offers
      .filter(({ command }) => command.startsWith('writeit.'))
      .map((offer) => ({ label: offer.title.replace(/^WriteIt: /, ''), value: offer }));
    const chosen = await pick(items, 'What fits here', 'nothing is offered here.');
    return chosen && vscode.commands.executeCommand(chosen.command, chosen.argument);
  },

  'document.apply': async (app, argument) => {
    const run = await resolveRun(app, argument, 'Apply the text of…');
    return run && runCommand(app, 'writeit.step.apply', { runId: run.pipelineRunId });
  },

  'document.applyAs': async (app, argument) => {
    const run = await resolveRun(app, argument, 'Apply the text of…');
    const mode = run && (await pick(MODES, 'Apply the text…', 'there is no way to apply it.'));
    return mode && runCommand(app, 'writeit.step.apply', { runId: run.pipelineRunId, mode });
  },

  'document.restore': async (app, argument) => {
    const { runId = await pickRestorableRun(app) } = targetOf(argument);
    return runId === undefined ? undefined : runCommand(app, 'writeit.edit.restore', { runId });
  },

  'document.settle': async (app) => {
    const items = [
      ...app.pendingApplies.all.flatMap(pendingItems),
      ...app.conflicts.all.flatMap(conflictItems),
    ];
    const chosen = await pick(items, 'Not settled yet', 'nothing waits.');
    return chosen?.(app);
  },
};

/** The run whose text is to be taken out: the document's own, or that of a polish. */
async function pickRestorableRun(app: App): Promise<string | undefined> {
  const uri = currentDocument()?.uri;
  const offers = uri === undefined ? [] : await listActions(app.server, uri);
  const items = offers.filter(isRestore).map(({ title, argument }) => ({
    label: title.replace(/^WriteIt: /, ''),
    value: String(argument['runId']),
  }));
  return pickUnlessSingle(items, 'Restore', 'no text of a run stands in this document.');
}

function isRestore({ command }: ServerAction): boolean {
  return command === 'writeit.edit.restore';
}

interface ReviewItem extends vscode.QuickPickItem {
  readonly value: (app: App) => Promise<unknown>;
}

function pendingItems({ runId, step, uri, params: again }: PendingApply): ReviewItem[] {
  const name = displayPath(uri);
  return [
    {
      label: `Put the text of ${step} into ${name}`,
      description: 'it waits: you were typing',
      value: (app) => runCommand(app, 'writeit.step.apply', again),
    },
    {
      label: `Compare ${name} with the text of ${step}`,
      description: 'nothing is changed',
      value: (app) => compareWithDocument(app, runId, step, uri),
    },
  ];
}

function conflictItems(contest: DocumentConflicts): ReviewItem[] {
  const { runId, step, uri } = contest;
  const name = displayPath(uri);
  return [
    {
      label: `Compare ${name} with the text of ${step}`,
      description: conflictSummary(contest),
      value: (app) => compareWithDocument(app, runId, step, uri),
    },
    {
      label: `Keep my words in ${name}`,
      description: 'nothing is changed, and this is settled',
      value: (app) => keepUserText(app, runId),
    },
  ];
}

const MODES = [
  { label: 'As a new file', description: 'beside the notes', value: 'new_file' as const },
  { label: 'In place of the text', description: 'one edit, one undo', value: 'replace' as const },
  { label: 'Where it was started', description: 'nothing is replaced', value: 'insert' as const },
];

function requireDocument(uri: vscode.Uri | undefined): vscode.Uri | undefined {
  if (uri === undefined) {
    void vscode.window.showInformationMessage('WriteIt: open a markdown document first.');
  }
  return uri;
}

/** The likeliest of what rewrites a passage. */
const DEFAULT_POLISH = 'polish-passage';

async function polish(app: App, argument: unknown, words: boolean): Promise<unknown> {
  const editor = vscode.window.activeTextEditor;
  const uri = requireDocument(documentOf(argument));
  if (uri === undefined) {
    return undefined;
  }
  const pipeline = await pickPipeline(app, 'selection', 'Rewrite with…', uri, DEFAULT_POLISH);
  const instruction = pipeline && words ? await askInstruction() : '';
  if (pipeline === undefined || instruction === undefined) {
    return undefined;
  }
  const selected =
    editor?.document.uri.toString() === uri.toString() ? editor.selection : undefined;
  return runCommand(app, 'writeit.document.polish', {
    uri: uri.toString(),
    pipeline: pipeline.name,
    apply: true,
    ...(selected === undefined || selected.isEmpty ? {} : { range: toRange(selected) }),
    ...(instruction === '' ? {} : { instruction }),
  });
}

function toRange({ start, end }: vscode.Range): { start: WirePosition; end: WirePosition } {
  return {
    start: { line: start.line, character: start.character },
    end: { line: end.line, character: end.character },
  };
}

interface WirePosition {
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
