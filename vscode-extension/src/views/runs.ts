import { l10n } from 'vscode';
import type { App } from '../app';
import { openCommand, TreeNode } from './treeNode';
import { viewUri } from '../pages/uris';
import { chosenAnswer } from '../eligibility';
import { listAnswers } from '../quickPicks';
import { listRuns } from '../runList';
import type { AIResponse, PipelineRun, RunSummary, RunTree, StepState } from '../protocol';
import type { ServerAction } from '../serverActions';
import {
  answerLabel,
  answerSummary,
  costText,
  excerpt,
  plural,
  stepStatusText,
  modelOf,
} from '../wording';
import { answerContextValue, runContextValue, stepContextValue } from './contextValues';
import type { TreeProvider } from './treeProvider';

const PAGE_SIZE = 50;

/** The number of runs to show, by workspace folder. */
const limits = new Map<string | undefined, number>();

export async function loadRuns(
  app: App,
  folder: string | undefined,
  tree: TreeProvider,
): Promise<readonly TreeNode[]> {
  const limit = limits.get(folder) ?? PAGE_SIZE;
  const { runs, next = null } = await listRuns(app, { folder }, limit);
  const list = { app, folder };
  const nodes = await Promise.all(
    groupRuns(runs).map(async ({ root, passages }, index) => {
      const actions = await app.runStates.actions(root.runId);
      return runNode(list, root, actions, index === 0, passages);
    }),
  );
  return next === null ? nodes : [...nodes, olderRunsNode(folder, limit, tree)];
}

/** A run without a listed parent, and the runs about passages of its documents. */
interface RunGroup {
  readonly root: RunSummary;
  readonly passages: readonly RunSummary[];
}

function groupRuns(runs: readonly RunSummary[]): readonly RunGroup[] {
  const byId = new Map(runs.map((run) => [run.runId, run]));
  const isBranch = ({ parentRunId }: RunSummary): boolean => byId.has(parentRunId ?? '');
  const above = (run: RunSummary): RunSummary | undefined =>
    byId.get((isBranch(run) ? run.parentRunId : run.documentRunId) ?? '');
  const rootOf = (run: RunSummary): RunSummary => {
    const next = above(run);
    return next === undefined ? run : rootOf(next);
  };
  const passages = runs.filter((run) => above(run) !== undefined && !isBranch(run));
  return runs
    .filter((run) => above(run) === undefined)
    .map((root) => ({ root, passages: passages.filter((run) => rootOf(run) === root) }));
}

function olderRunsNode(folder: string | undefined, limit: number, tree: TreeProvider): TreeNode {
  const showMore = (): void => {
    limits.set(folder, limit + PAGE_SIZE);
    void tree.refresh();
  };
  return new TreeNode(l10n.t('Show older runs…'), {
    id: `${folder ?? ''}/older`,
    description: l10n.t('{0} newest shown', limit),
    icon: 'ellipsis',
    command: { title: l10n.t('More'), command: 'writeit.ui.call', arguments: [showMore] },
  });
}

/** Icons repeat the status text. A status that is missing here is a type error. */
const RUN_ICONS = {
  INITIALIZING: 'circle-outline',
  RUNNING: 'edit',
  PAUSED: 'debug-pause',
  COMPLETED: 'pass',
  ERROR: 'error',
} as const;

/** The list that a run is in. */
interface RunList {
  readonly app: App;
  readonly folder: string | undefined;
}

function runNode(
  list: RunList,
  run: RunSummary,
  actions: readonly ServerAction[],
  expanded: boolean,
  passages: readonly RunSummary[] = [],
): TreeNode {
  const { runId } = run;
  const state = run.statusText;
  return new TreeNode(
    run.label,
    {
      description: [run.pipeline, state, ...costAndDate(run)].join(', '),
      tooltip: l10n.t(
        '{0}\n{1}: {2}, {3}\nstarted {4}',
        run.title,
        run.pipeline,
        state,
        run.isBlind ? l10n.t('cost hidden until your choice') : costText(run.costUsd),
        new Date(run.createdAt).toLocaleString(),
      ),
      icon: RUN_ICONS[run.status],
      contextValue: runContextValue(run, actions),
      id: runId,
      expanded,
      runId,
      target: { runId },
      command: openCommand(viewUri('run', runId)),
    },
    async () => [
      ...(await loadSteps(list, runId)),
      ...(passages.length === 0 ? [] : [passagesNode(list, runId, passages)]),
    ],
  );
}

/** The runs about passages of a run's documents, collapsed. */
function passagesNode(list: RunList, runId: string, runs: readonly RunSummary[]): TreeNode {
  const options = {
    id: `${runId}/passages`,
    description: plural(runs.length, 'run'),
    icon: 'list-selection',
  };
  return new TreeNode(l10n.t('Passages'), options, () =>
    Promise.all(
      runs.map(async (run) =>
        runNode(list, run, await list.app.runStates.actions(run.runId), false),
      ),
    ),
  );
}

/** What tells runs of one name apart. */
function costAndDate({ costUsd, isBlind, createdAt }: RunSummary | RunTree): readonly string[] {
  const cost = costUsd === null || isBlind ? [] : [costText(costUsd)];
  return [...cost, new Date(createdAt).toLocaleDateString()];
}

/** A branch, and its summary with its actions if it is in the list of runs. */
interface Branch {
  readonly run: RunTree;
  readonly summary: RunSummary | undefined;
  readonly actions: readonly ServerAction[];
}

function branchNode(list: RunList, { run, summary, actions }: Branch): TreeNode {
  const { runId, name, branchPoint } = run;
  const origin = branchPoint ?? l10n.t('the start');
  const label = name ?? l10n.t('Branch at {0}', origin);
  if (run.deleted) {
    return new TreeNode(label, { id: runId, description: l10n.t('deleted'), icon: 'trash' });
  }
  const from = name === null ? [] : [l10n.t('from {0}', origin)];
  return new TreeNode(
    label,
    {
      description: [...from, run.statusText, ...costAndDate(run)].join(', '),
      icon: 'git-branch',
      contextValue: summary === undefined ? 'run.branch' : runContextValue(summary, actions),
      id: runId,
      runId,
      target: { runId },
      command: openCommand(viewUri('run', runId)),
    },
    () => loadSteps(list, runId),
  );
}

/** A run's steps, each with its answers and the branches that start there. */
async function loadSteps(list: RunList, runId: string): Promise<readonly TreeNode[]> {
  const { app } = list;
  const [run, { children }] = await Promise.all([
    app.runStates.run(runId),
    app.server.execute('writeit.run.tree', { runId, depth: 1 }),
  ]);
  const branches = await loadBranches(list, run, children);
  return Promise.all(
    Object.values(run.steps).map(async (step) => {
      const inStep = branches.filter((branch) => branch.run.branchPoint === step.stepName);
      const answers = await listAnswers(app, runId, step);
      const children = [
        ...answers.map((answer) => answerNode(run, step, answer)),
        ...inStep.map((branch) => branchNode(list, branch)),
      ];
      return stepNode(run, step, children, inStep.length > 0);
    }),
  );
}

/** The branches of a run, with what the run tree leaves out. */
async function loadBranches(
  { app, folder }: RunList,
  { uri }: PipelineRun,
  children: readonly RunTree[],
): Promise<readonly Branch[]> {
  if (children.length === 0) {
    return [];
  }
  const { runs } = await listRuns(app, { folder, uri });
  const summaries = new Map(runs.map((run) => [run.runId, run]));
  return Promise.all(
    children.map(async (run) => {
      const summary = summaries.get(run.runId);
      return {
        run,
        summary,
        actions: summary === undefined ? [] : await app.runStates.actions(summary.runId),
      };
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
  { pipelineRunId: runId, currentStep }: PipelineRun,
  step: StepState,
  children: readonly TreeNode[],
  hasBranches: boolean,
): TreeNode {
  const isWaiting = step.stepName === currentStep && !step.isDone;
  const expanded = (isWaiting || hasBranches) && children.length > 0;
  return new TreeNode(
    step.stepName,
    {
      description: stepStatusText(step),
      icon: step.streaming.length > 0 ? 'sync~spin' : STEP_ICONS[step.status],
      contextValue: stepContextValue(step),
      // VS Code remembers by id whether a node is expanded: another id applies `expanded` again.
      id: `${runId}/${step.stepName}${expanded ? '/now' : ''}`,
      target: { runId, step: step.stepName },
      command: openCommand(viewUri('step', runId, step.stepName)),
      expanded,
    },
    children.length === 0 ? undefined : () => Promise.resolve(children),
  );
}

function answerNode(
  { pipelineRunId: runId }: PipelineRun,
  step: StepState,
  answer: AIResponse,
): TreeNode {
  const { responseId } = answer;
  const isChosen = answer === chosenAnswer(step);
  return new TreeNode(answerLabel(answer, modelOf(answer)), {
    description: answerSummary(answer, isChosen),
    tooltip: excerpt(answer.processedContent, 300),
    icon: isChosen ? 'check' : 'comment',
    contextValue: answerContextValue(step, answer),
    id: `${runId}/${step.stepName}/${responseId}`,
    target: { runId, step: step.stepName, responseId },
    command: openCommand(viewUri('response', runId, step.stepName, responseId)),
  });
}
