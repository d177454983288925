import * as vscode from 'vscode';
import { l10n } from 'vscode';
import type { App } from '../app';
import {
  compareWithDocument,
  conflictSummary,
  displayPath,
  keepUserText,
} from '../apply/applyOutcome';
import type { DocumentConflicts } from '../apply/conflicts';
import type { PendingApply } from '../apply/pendingApplies';
import { runCommand, startWithAllInputs } from '../commandFlows';
import { currentDocument } from '../editorContext';
import { folderOf } from '../folders';
import { inform } from '../followUps';
import { pick, pickPipeline, pickUnlessSingle } from '../quickPicks';
import { listActions, titleOf, toWireRange } from '../serverActions';
import { documentOf, namedIn, resolveRun, targetOf } from '../target';
import { onRun, type Handlers } from './handlers';

export const DOCUMENT: Handlers = {
  'document.start': async (app, argument) => {
    const uri = documentOf(argument);
    const named = namedIn(argument, 'pipeline');
    const pipeline =
      named ?? (await pickPipeline(app, 'document', l10n.t('Start a pipeline'), uri))?.name;
    return pipeline === undefined
      ? undefined
      : startWithAllInputs(app, { pipeline, uri: uri?.toString(), folder: folderOf(uri) });
  },

  'document.polish': (app, argument) => polish(app, argument, () => Promise.resolve('')),
  'document.polishWithWords': (app, argument) => polish(app, argument, askInstruction),

  'document.frontMatter': async (app, argument) => {
    const uri = requireDocument(documentOf(argument));
    const title = l10n.t('Choose a pipeline for this document');
    const pipeline = uri && (await pickPipeline(app, 'document', title, uri));
    const params = pipeline && { uri: uri.toString(), pipeline: pipeline.name };
    return params && runCommand(app, 'writeit.document.frontMatter', params);
  },

  'document.offers': async (app, argument) => {
    const editor = vscode.window.activeTextEditor;
    const uri = argument instanceof vscode.Uri ? argument : requireDocument(editor?.document.uri);
    if (uri === undefined) {
      return undefined;
    }
    const actions = await listActions(app.server, uri, editor?.selection);
    const items = actions
      .filter(({ command }) => command.startsWith('writeit.'))
      .map((action) => ({ label: titleOf(action), value: action }));
    const chosen = await pick(items, l10n.t('Actions'), l10n.t('There are no actions here.'));
    return chosen && vscode.commands.executeCommand(chosen.command, chosen.argument);
  },

  'document.apply': onRun('writeit.step.apply', l10n.t('Apply the text of a run'), { ask: true }),

  'document.applyAs': async (app, argument) => {
    const run = await resolveRun(app, argument, l10n.t('Apply the text of a run'));
    const mode =
      run && (await pick(APPLY_MODES, l10n.t('Apply the text'), l10n.t('It cannot be applied.')));
    const params = mode && { runId: run.pipelineRunId, mode, ask: true };
    return params && runCommand(app, 'writeit.step.apply', params);
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
    const chosen = await pick(
      items,
      l10n.t('Review waiting changes'),
      l10n.t('No changes are waiting.'),
    );
    return chosen?.(app);
  },
};

/** The run whose text can be removed from the current document; a polished passage has its own. */
async function pickRestorableRun(app: App): Promise<string | undefined> {
  const uri = currentDocument()?.uri;
  const actions = uri === undefined ? [] : await app.runStates.documentActions(uri);
  const items = actions
    .filter(({ command }) => command === 'writeit.edit.restore')
    .map((action) => ({ label: titleOf(action), value: String(action.argument['runId']) }));
  return pickUnlessSingle(
    items,
    l10n.t('Restore'),
    l10n.t('No applied text can be restored in this document.'),
  );
}

interface ReviewItem extends vscode.QuickPickItem {
  readonly value: (app: App) => Promise<unknown>;
}

function pendingItems({ runId, step, uri, params }: PendingApply): ReviewItem[] {
  const path = displayPath(uri);
  return [
    {
      label: l10n.t('Apply the text of {0} to {1}', step, path),
      description: l10n.t('waiting, not inserted'),
      value: (app) => runCommand(app, 'writeit.step.apply', params),
    },
    {
      label: l10n.t('Compare {0} with the text of {1}', path, step),
      description: l10n.t('changes nothing'),
      value: (app) => compareWithDocument(app, runId, step, uri),
    },
  ];
}

function conflictItems(conflicts: DocumentConflicts): ReviewItem[] {
  const { runId, step, uri } = conflicts;
  const path = displayPath(uri);
  return [
    {
      label: l10n.t('Compare {0} with the text of {1}', path, step),
      description: conflictSummary(conflicts),
      value: (app) => compareWithDocument(app, runId, step, uri),
    },
    {
      label: l10n.t('Keep my version in {0}', path),
      description: l10n.t('resolves all conflicts, changes nothing'),
      value: (app) => keepUserText(app, runId),
    },
  ];
}

const APPLY_MODES = [
  {
    label: l10n.t('As a new file'),
    description: l10n.t('beside the notes'),
    value: 'new_file' as const,
  },
  {
    label: l10n.t('In place of the notes'),
    description: l10n.t('one undo reverts it'),
    value: 'replace' as const,
  },
  {
    label: l10n.t('Where the run was started'),
    description: l10n.t('nothing is replaced'),
    value: 'insert' as const,
  },
];

function requireDocument(uri: vscode.Uri | undefined): vscode.Uri | undefined {
  if (uri === undefined) {
    inform(l10n.t('Open a Markdown document first.'));
  }
  return uri;
}

/** The pipeline that comes first in the list. */
const DEFAULT_POLISH = 'polish-passage';

async function polish(
  app: App,
  argument: unknown,
  ask: () => Thenable<string | undefined>,
): Promise<unknown> {
  const editor = vscode.window.activeTextEditor;
  const uri = requireDocument(documentOf(argument));
  if (uri === undefined) {
    return undefined;
  }
  const pipeline = await pickPipeline(
    app,
    'selection',
    l10n.t('Rewrite with…'),
    uri,
    DEFAULT_POLISH,
  );
  const instruction = pipeline && (await ask());
  if (pipeline === undefined || instruction === undefined) {
    return undefined;
  }
  const selection =
    editor?.document.uri.toString() === uri.toString() ? editor.selection : undefined;
  return runCommand(app, 'writeit.document.polish', {
    uri: uri.toString(),
    pipeline: pipeline.name,
    apply: true,
    ...(selection === undefined || selection.isEmpty ? {} : { range: toWireRange(selection) }),
    ...(instruction === '' ? {} : { instruction }),
  });
}

function askInstruction(): Thenable<string | undefined> {
  return vscode.window.showInputBox({
    title: l10n.t('Rewrite the passage'),
    prompt: l10n.t('What should be different?'),
    ignoreFocusOut: true,
  });
}
