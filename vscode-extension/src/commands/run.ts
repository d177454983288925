import * as vscode from 'vscode';
import { act } from '../act';
import type { App } from '../app';
import { hasAnswers, isDone } from '../fits';
import { runHere, stepHere, targetOf } from '../here';
import { pick, pickRun, pickStep } from '../pick';
import type { PipelineRun, RunExportParams } from '../protocol';
import { compare } from '../compare';
import { show } from '../show';
import { viewUri } from '../uris';
import type { Table } from './table';

export const RUN: Table = {
  'run.open': async (app, argument) => {
    const run = await runHere(app, argument, 'Open a run');
    return run && show(viewUri('run', run.pipelineRunId));
  },

  'run.history': async (app) => {
    const run = await pickRun(app, 'Runs, newest first');
    return run && show(viewUri('run', run.runId));
  },

  'run.activate': async (app, argument) => {
    const runId = targetOf(argument).runId ?? (await pickRun(app, 'Go on with a run'))?.runId;
    return runId === undefined ? undefined : act(app, 'writeit.session.activate', { runId });
  },

  'run.branch': (app, argument) => goBack(app, argument, 'writeit.run.branch'),
  'run.rewind': (app, argument) => goBack(app, argument, 'writeit.run.rewind'),

  'run.pause': async (app, argument) => {
    const run = await runHere(app, argument, 'Stop a run');
    return run && act(app, 'writeit.run.pause', { runId: run.pipelineRunId });
  },

  'run.resume': async (app, argument) => {
    const run = await runHere(app, argument, 'Resume a run');
    return run && act(app, 'writeit.run.resume', { runId: run.pipelineRunId });
  },

  'run.export': async (app, argument) => {
    const run = await runHere(app, argument, 'Export a run');
    const format = run && (await pick(FORMATS, 'Export as…', 'there is no format.'));
    const path = format && (await askPath(run, format));
    return path && act(app, 'writeit.run.export', { runId: run.pipelineRunId, format, path });
  },

  'run.delete': async (app, argument) => {
    const run = await runHere(app, argument, 'Delete a run');
    const descendants = run && (await confirmDelete());
    return descendants === undefined
      ? undefined
      : act(app, 'writeit.run.delete', { runId: run?.pipelineRunId ?? '', descendants });
  },

  'run.diffParent': async (app, argument) => {
    const here = await stepHere(
      app,
      argument,
      'Compare a step with the run it branched off',
      hasText,
    );
    const parent = here?.run.parentPipelineRunId;
    if (here === undefined || parent == null) {
      return undefined;
    }
    return compare(
      app,
      { runId: parent, step: here.step.stepName },
      side(here.run, here.step.stepName),
    );
  },

  'run.diff': async (app, argument) => {
    const left = await stepHere(app, argument, 'Compare a step of this run', hasText);
    const other = left && (await pickRun(app, 'with the same step of…'));
    if (left === undefined || other === undefined) {
      return undefined;
    }
    const run = await app.server.ask('writeit.run.show', { runId: other.runId });
    const same = run.steps[left.step.stepName];
    const step = same ?? (await pickStep(run, 'with…', hasText));
    return step && compare(app, side(left.run, left.step.stepName), side(run, step.stepName));
  },
};

type ExportFormat = NonNullable<RunExportParams['format']>;

const FORMATS: readonly (vscode.QuickPickItem & { value: ExportFormat })[] = [
  { label: 'Markdown', description: 'the article', value: 'markdown' },
  { label: 'YAML', description: 'the run with all its history', value: 'yaml' },
  { label: 'JSON', description: 'the run with all its history', value: 'json' },
];

function askPath(run: PipelineRun, format: ExportFormat): Thenable<string | undefined> {
  const suffix = format === 'markdown' ? 'md' : format;
  return vscode.window.showInputBox({
    title: 'Export to',
    prompt: 'A path inside the workspace; nothing is overwritten.',
    value: `${format === 'markdown' ? 'article' : (run.name ?? 'run')}.${suffix}`,
  });
}

const ONE = 'Delete This Run';
const FAMILY = 'Delete It and All Its Branches';

async function confirmDelete(): Promise<boolean | undefined> {
  const detail = 'Its answers are gone for good. With branches left, the tree keeps its place.';
  const options = { modal: true, detail };
  const chosen = await vscode.window.showWarningMessage('Delete this run?', options, ONE, FAMILY);
  return chosen === undefined ? undefined : chosen === FAMILY;
}

const BACK = {
  'writeit.run.branch': ['Branch at…', hasAnswers],
  'writeit.run.rewind': ['Rewind to…', isDone],
} as const;

async function goBack(app: App, argument: unknown, command: keyof typeof BACK): Promise<unknown> {
  const [title, fits] = BACK[command];
  const run = await runHere(app, argument, title);
  const named = targetOf(argument).step;
  const step = named ?? (run && (await pickStep(run, title, fits))?.stepName);
  return run && step && act(app, command, { runId: run.pipelineRunId, step });
}

function hasText(step: { readonly content: string | null }): boolean {
  return step.content !== null && step.content !== '';
}

interface Side {
  readonly runId: string;
  readonly step: string;
}

function side(run: PipelineRun, step: string): Side {
  return { runId: run.pipelineRunId, step };
}
