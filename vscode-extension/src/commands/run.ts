import * as vscode from 'vscode';
import { l10n } from 'vscode';
import { runCommand } from '../commandFlows';
import type { App } from '../app';
import { currentFolder } from '../folders';
import { hasAnswers, hasText, isDone } from '../eligibility';
import { resolveRun, resolveStep, targetOf } from '../target';
import { pickRun, pickStep } from '../quickPicks';
import type { PipelineRun, RunExportParams } from '../protocol';
import { compare, compareWithParent } from '../pages/compare';
import { showDocument } from '../pages/showDocument';
import { viewUri } from '../pages/uris';
import { searchRuns } from '../searchRuns';
import { onRun, type Handlers } from './handlers';

export const RUN: Handlers = {
  'run.open': async (app, argument) => {
    const run = await resolveRun(app, argument, l10n.t('Open a run'));
    return run && showDocument(viewUri('run', run.pipelineRunId));
  },

  'run.history': async (app) => {
    const run = await pickRun(app, l10n.t('Run history'));
    return run && showDocument(viewUri('run', run.runId));
  },

  'run.search': (app) => searchRuns(app),

  'run.activate': async (app, argument) => {
    const runId = targetOf(argument).runId ?? (await pickRun(app, l10n.t('Resume a run')))?.runId;
    return runId === undefined ? undefined : runCommand(app, 'writeit.session.activate', { runId });
  },

  'run.branch': (app, argument) => branchAtStep(app, argument, 'writeit.run.branch'),
  'run.rewind': (app, argument) => branchAtStep(app, argument, 'writeit.run.rewind'),

  'run.pause': onRun('writeit.run.pause', l10n.t('Stop generating')),
  'run.resume': onRun('writeit.run.resume', l10n.t('Resume generating')),

  'run.export': async (app, argument) => {
    const run = await resolveRun(app, argument, l10n.t('Export a run'));
    const target = run && (await askFile(run));
    return target && exportTo(app, run.pipelineRunId, target);
  },

  'run.delete': async (app, argument) => {
    const run = await resolveRun(app, argument, l10n.t('Delete a run'));
    const descendants = run && (await confirmDelete());
    return descendants === undefined
      ? undefined
      : runCommand(app, 'writeit.run.delete', { runId: run?.pipelineRunId ?? '', descendants });
  },

  'run.diffParent': async (app, argument) => {
    const run = await resolveRun(app, argument, l10n.t('Compare with the original run'));
    return run && compareWithParent(app, run);
  },

  'run.diff': async (app, argument) => {
    const left = await resolveStep(app, argument, l10n.t('Compare a step of this run'), hasText);
    const other = left && (await pickRun(app, l10n.t('Compare with the same step of')));
    if (left === undefined || other === undefined) {
      return undefined;
    }
    const run = await app.runStates.run(other.runId);
    const same = run.steps[left.step.stepName];
    const step = same ?? (await pickStep(run, l10n.t('Compare with the step'), hasText));
    return step && compare(app, left.address, { runId: other.runId, step: step.stepName });
  },
};

type ExportFormat = NonNullable<RunExportParams['format']>;

const FORMATS: Readonly<Record<string, ExportFormat>> = { yaml: 'yaml', yml: 'yaml', json: 'json' };

/** Ask for a file, whose name also says the format. */
function askFile(run: PipelineRun): Thenable<vscode.Uri | undefined> {
  const document = vscode.Uri.parse(run.uri ?? currentFolder() ?? '');
  const folder = run.uri === null ? document : vscode.Uri.joinPath(document, '..');
  return vscode.window.showSaveDialog({
    title: l10n.t('Export the run'),
    defaultUri: vscode.Uri.joinPath(folder, `${run.name ?? 'article'}.md`),
    filters: {
      [l10n.t('Markdown: the article')]: ['md'],
      [l10n.t('YAML: the run and its history')]: ['yaml', 'yml'],
      [l10n.t('JSON: the run and its history')]: ['json'],
    },
  });
}

async function exportTo(app: App, runId: string, target: vscode.Uri): Promise<vscode.Uri> {
  const suffix = target.path.split('.').at(-1)?.toLowerCase() ?? '';
  const format = FORMATS[suffix] ?? 'markdown';
  const { content } = await app.server.execute('writeit.run.export', { runId, format });
  await vscode.workspace.fs.writeFile(target, new TextEncoder().encode(content));
  await showDocument(target);
  return target;
}

const DELETE_RUN = l10n.t('Delete Run');
const DELETE_BRANCHES = l10n.t('Delete Run and Branches');

async function confirmDelete(): Promise<boolean | undefined> {
  const detail = l10n.t(
    'This cannot be undone. If you keep its branches, the run history shows it as deleted.',
  );
  const options = { modal: true, detail };
  const chosen = await vscode.window.showWarningMessage(
    l10n.t('Delete this run?'),
    options,
    DELETE_RUN,
    DELETE_BRANCHES,
  );
  return chosen === undefined ? undefined : chosen === DELETE_BRANCHES;
}

const BRANCHING = {
  'writeit.run.branch': [l10n.t('Branch at a step'), hasAnswers],
  'writeit.run.rewind': [l10n.t('Start over from a step'), isDone],
} as const;

async function branchAtStep(
  app: App,
  argument: unknown,
  command: keyof typeof BRANCHING,
): Promise<unknown> {
  const [title, isEligible] = BRANCHING[command];
  const run = await resolveRun(app, argument, title);
  const named = targetOf(argument).step;
  const step = named ?? (run && (await pickStep(run, title, isEligible))?.stepName);
  return run && step && runCommand(app, command, { runId: run.pipelineRunId, step });
}
