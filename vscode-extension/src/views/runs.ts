import type { App } from '../app';
import type { PipelineRun, RunSummary, RunTree, StepState } from '../protocol';
import { listActions, type ServerAction } from '../editorContext';
import { viewUri } from '../pages/uris';
import { answerSummary, costText, modelId, excerpt, stepStatusText } from '../wording';
import { answerContextValue, runActions, runContextValue, stepContextValue } from './contextValues';
import { TreeNode, openCommand } from './treeNode';
import type { TreeProvider } from './treeProvider';

const PAGE_SIZE = 50;

/** As many as the server lists at once. */
const MAX_RUNS = 1000;

/** How many runs of each folder are listed; a line at the end asks for more. */
const limits = new Map<string | undefined, number>();

export async function loadRuns(
  app: App,
  folder: string | undefined,
  tree: TreeProvider,
): Promise<readonly TreeNode[]> {
  const limit = limits.get(folder) ?? PAGE_SIZE;
  const { runs, next } = await app.server.execute('writeit.run.list', { folder, limit });
  const ids = new Set(runs.map(({ runId }) => runId));
  const roots = runs.filter(({ parentRunId }) => parentRunId === null || !ids.has(parentRunId));
  const lines = await Promise.all(
    roots.map(async (run, place) =>
      runNode({ app, folder }, run, await runActions(app, run), place === 0),
    ),
  );
  return next === null ? lines : [...lines, olderRunsNode(folder, limit, tree)];
}

function olderRunsNode(folder: string | undefined, limit: number, tree: TreeProvider): TreeNode {
  const more = (): void => {
    limits.set(folder, limit + PAGE_SIZE);
    void tree.refresh();
  };
  const command = { title: 'More', command: 'writeit.ui.call', arguments: [more] };
  return new TreeNode('Older runs…', {
    id: `${folder ?? ''}/older`,
    description: `the ${limit} newest are shown`,
    icon: 'ellipsis',
    command,
  });
}

/** What only repeats the words; a status that is missing here is a type error. */
const ICONS = {
  INITIALIZING: 'circle-outline',
  RUNNING: 'edit',
  PAUSED: 'debug-pause',
  COMPLETED: 'pass',
  ERROR: 'error',
} as const;

/** Where runs are listed. */
interface RunList {
  readonly app: App;
  readonly folder: string | undefined;
}

function runNode(
  where: RunList,
  run: RunSummary,
  offers: readonly ServerAction[],
  expanded: boolean,
): TreeNode {
  const { runId } = run;
  const state = run.statusText;
  const cost = run.costUsd === null ? [] : [costText(run.costUsd)];
  return new TreeNode(
    run.name ?? run.title,
    {
      description: [run.pipeline, state, ...cost].join(', '),
      tooltip: `${run.title}\n${run.pipeline}: ${state}, ${costText(run.costUsd)}\nbegun ${new Date(run.createdAt).toLocaleString()}`,
      icon: ICONS[run.status],
      contextValue: runContextValue(run, offers),
      id: runId,
      expanded,
      runId: runId,
      target: { runId },
      command: openCommand(viewUri('run', runId)),
    },
    () => loadSteps(where, runId),
  );
}

/** A run that branched off, with its line in the list of runs, and what is offered for it. */
interface Branch {
  readonly run: RunTree;
  readonly listed: RunSummary | undefined;
  readonly actions: readonly ServerAction[];
}

function branchNode(where: RunList, { run, listed, actions: offers }: Branch): TreeNode {
  const { runId, name, branchPoint } = run;
  const label = name ?? `Branch at ${branchPoint ?? 'the beginning'}`;
  if (run.deleted) {
    return new TreeNode(label, { id: runId, description: 'deleted', icon: 'trash' });
  }
  const from = name === null ? [] : [`from ${branchPoint ?? 'the beginning'}`];
  const cost = listed?.costUsd == null ? [] : [costText(listed.costUsd)];
  return new TreeNode(
    label,
    {
      description: [...from, run.statusText, ...cost].join(', '),
      icon: 'git-branch',
      contextValue: listed === undefined ? 'run.branch' : runContextValue(listed, offers),
      id: runId,
      runId: runId,
      target: { runId },
      command: openCommand(viewUri('run', runId)),
    },
    () => loadSteps(where, runId),
  );
}

/** A run's steps, each with its answers and with the runs that branched off there. */
async function loadSteps(where: RunList, runId: string): Promise<readonly TreeNode[]> {
  const { app } = where;
  const [run, { children }, offers] = await Promise.all([
    app.server.execute('writeit.run.show', { runId }),
    app.server.execute('writeit.run.tree', { runId, depth: 1 }),
    listActions(app.server, viewUri('run', runId)),
  ]);
  const branches = await loadBranches(where, run, children);
  return Object.values(run.steps).map((step) => {
    const here = branches.filter((branch) => branch.run.branchPoint === step.stepName);
    return stepNode(where, run, step, offers, here);
  });
}

/** What a tree of runs leaves out, their cost for one, is in the list of them. */
async function loadBranches(
  { app, folder }: RunList,
  { uri }: PipelineRun,
  children: readonly RunTree[],
): Promise<readonly Branch[]> {
  if (children.length === 0) {
    return [];
  }
  const { runs } = await app.server.execute('writeit.run.list', { folder, uri, limit: MAX_RUNS });
  const listed = new Map(runs.map((run) => [run.runId, run]));
  return Promise.all(
    children.map(async (run) => {
      const line = listed.get(run.runId);
      return { run, listed: line, actions: line === undefined ? [] : await runActions(app, line) };
    }),
  );
}

const STEP_ICONS = {
  PENDING: 'circle-outline',
  RUNNING: 'question',
  COMPLETED: 'check',
  SKIPPED: 'debug-step-over',
} as const;

function stepNode(
  where: RunList,
  run: PipelineRun,
  step: StepState,
  offers: readonly ServerAction[],
  branches: readonly Branch[],
): TreeNode {
  const { pipelineRunId: runId, currentStep } = run;
  const lines = [
    ...step.aiResponses.map((_, index) => answerNode(run, step, index)),
    ...branches.map((branch) => branchNode(where, branch)),
  ];
  const isOpen = step.stepName === currentStep && !step.isDone;
  const matters = isOpen || branches.length > 0;
  const expanded = matters && lines.length > 0;
  return new TreeNode(
    step.stepName,
    {
      description: stepStatusText(step),
      icon: step.streaming.length > 0 ? 'sync~spin' : STEP_ICONS[step.status],
      contextValue: stepContextValue(step, offers),
      // Whether a line is open is remembered by its id: one that matters now is a new line.
      id: `${runId}/${step.stepName}${expanded ? '/now' : ''}`,
      target: { runId, step: step.stepName },
      command: openCommand(viewUri('step', runId, step.stepName)),
      expanded,
    },
    lines.length === 0 ? undefined : () => Promise.resolve(lines),
  );
}

function answerNode(run: PipelineRun, step: StepState, index: number): TreeNode {
  const { pipelineRunId: runId } = run;
  const answer = step.aiResponses[index];
  if (answer === undefined) {
    throw new RangeError(`${step.stepName} has no answer ${index + 1}`);
  }
  const chosen = index === step.userSelection;
  return new TreeNode(`Answer ${index + 1}: ${modelId(answer)}`, {
    description: answerSummary(answer, chosen),
    tooltip: excerpt(answer.processedContent, 300),
    icon: chosen ? 'check' : 'comment',
    contextValue: answerContextValue(step, index),
    id: `${runId}/${step.stepName}/${answer.responseId}`,
    target: { runId, step: step.stepName, response: index, responseId: answer.responseId },
    command: openCommand(viewUri('response', runId, step.stepName, answer.responseId)),
  });
}
