import type { App } from '../app';
import type { PipelineRun, RunSummary, RunTree, StepState } from '../protocol';
import { offersAt, type Offer } from '../scene';
import { viewUri } from '../uris';
import { answerWords, costWords, modelOf, runWords, sketch, stepWords } from '../words';
import { answerKind, offersOf, runKind, stepKind } from './kinds';
import { Node, opens } from './node';
import type { Tree } from './tree';

const PAGE = 50;

/** As many as the server lists at once. */
const MOST = 1000;

/** How many runs of each folder are listed; a line at the end asks for more. */
const shown = new Map<string | undefined, number>();

export async function runLines(
  app: App,
  folder: string | undefined,
  tree: Tree,
): Promise<readonly Node[]> {
  const limit = shown.get(folder) ?? PAGE;
  const { runs, next } = await app.server.ask('writeit.run.list', { folder, limit });
  const ids = new Set(runs.map(({ runId }) => runId));
  const roots = runs.filter(({ parentRunId }) => parentRunId === null || !ids.has(parentRunId));
  const lines = await Promise.all(
    roots.map(async (run, place) =>
      runNode({ app, folder }, run, await offersOf(app, run), place === 0),
    ),
  );
  return next === null ? lines : [...lines, moreNode(folder, limit, tree)];
}

function moreNode(folder: string | undefined, limit: number, tree: Tree): Node {
  const more = (): void => {
    shown.set(folder, limit + PAGE);
    void tree.refresh();
  };
  const command = { title: 'More', command: 'writeit.ui.call', arguments: [more] };
  return new Node('Older runs…', {
    id: `${folder ?? ''}/older`,
    description: `the ${limit} newest are shown`,
    icon: 'ellipsis',
    command,
  });
}

const ICONS = {
  INITIALIZING: 'circle-outline',
  RUNNING: 'edit',
  PAUSED: 'debug-pause',
  COMPLETED: 'pass',
  ERROR: 'error',
} as const;

/** Where runs are listed. */
interface Where {
  readonly app: App;
  readonly folder: string | undefined;
}

function runNode(where: Where, run: RunSummary, offers: readonly Offer[], expanded: boolean): Node {
  const { runId } = run;
  const state = runWords(run.status, run.currentStep);
  const cost = run.costUsd === null ? [] : [costWords(run.costUsd)];
  return new Node(
    run.name ?? run.title,
    {
      description: [run.pipeline, state, ...cost].join(', '),
      tooltip: `${run.title}\n${run.pipeline}: ${state}, ${costWords(run.costUsd)}\nbegun ${new Date(run.createdAt).toLocaleString()}`,
      icon: ICONS[run.status],
      kind: runKind(run, offers),
      id: runId,
      expanded,
      run: runId,
      target: { runId },
      command: opens(viewUri('run', runId)),
    },
    () => inRun(where, runId),
  );
}

/** A run that branched off, with its line in the list of runs, and what is offered for it. */
interface Branch {
  readonly run: RunTree;
  readonly listed: RunSummary | undefined;
  readonly offers: readonly Offer[];
}

function branchNode(where: Where, { run, listed, offers }: Branch): Node {
  const { runId, name, branchPoint } = run;
  const label = name ?? `Branch at ${branchPoint ?? 'the beginning'}`;
  if (run.deleted) {
    return new Node(label, { id: runId, description: 'deleted', icon: 'trash' });
  }
  const from = name === null ? [] : [`from ${branchPoint ?? 'the beginning'}`];
  const cost = listed?.costUsd == null ? [] : [costWords(listed.costUsd)];
  return new Node(
    label,
    {
      description: [...from, runWords(run.status, run.currentStep), ...cost].join(', '),
      icon: 'git-branch',
      kind: listed === undefined ? `run.${run.status}.branch` : runKind(listed, offers),
      id: runId,
      run: runId,
      target: { runId },
      command: opens(viewUri('run', runId)),
    },
    () => inRun(where, runId),
  );
}

/** A run's steps, each with its answers and with the runs that branched off there. */
async function inRun(where: Where, runId: string): Promise<readonly Node[]> {
  const { app } = where;
  const [run, { children }, offers] = await Promise.all([
    app.server.ask('writeit.run.show', { runId }),
    app.server.ask('writeit.run.tree', { runId, depth: 1 }),
    offersAt(app.server, viewUri('run', runId)),
  ]);
  const branches = await branchesIn(where, run, children);
  return Object.values(run.steps).map((step) => {
    const here = branches.filter((branch) => branch.run.branchPoint === step.stepName);
    return stepNode(where, run, step, offers, here);
  });
}

/** What a tree of runs leaves out, their cost for one, is in the list of them. */
async function branchesIn(
  { app, folder }: Where,
  { uri }: PipelineRun,
  children: readonly RunTree[],
): Promise<readonly Branch[]> {
  if (children.length === 0) {
    return [];
  }
  const { runs } = await app.server.ask('writeit.run.list', { folder, uri, limit: MOST });
  const listed = new Map(runs.map((run) => [run.runId, run]));
  return Promise.all(
    children.map(async (run) => {
      const line = listed.get(run.runId);
      return { run, listed: line, offers: line === undefined ? [] : await offersOf(app, line) };
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
  where: Where,
  run: PipelineRun,
  step: StepState,
  offers: readonly Offer[],
  branches: readonly Branch[],
): Node {
  const { pipelineRunId: runId, currentStep } = run;
  const lines = [
    ...step.aiResponses.map((_, index) => answerNode(run, step, index)),
    ...branches.map((branch) => branchNode(where, branch)),
  ];
  const isOpen = step.stepName === currentStep && step.status !== 'COMPLETED';
  const matters = isOpen || branches.length > 0;
  const expanded = matters && lines.length > 0;
  return new Node(
    step.stepName,
    {
      description: stepWords(step),
      icon: step.streaming.length > 0 ? 'sync~spin' : STEP_ICONS[step.status],
      kind: stepKind(run, step, offers),
      // Whether a line is open is remembered by its id: one that matters now is a new line.
      id: `${runId}/${step.stepName}${expanded ? '/now' : ''}`,
      target: { runId, step: step.stepName },
      command: opens(viewUri('step', runId, step.stepName)),
      expanded,
    },
    lines.length === 0 ? undefined : () => Promise.resolve(lines),
  );
}

function answerNode(run: PipelineRun, step: StepState, index: number): Node {
  const { pipelineRunId: runId } = run;
  const answer = step.aiResponses[index];
  if (answer === undefined) {
    throw new RangeError(`${step.stepName} has no answer ${index + 1}`);
  }
  const chosen = index === step.userSelection;
  return new Node(`Answer ${index + 1}: ${modelOf(answer)}`, {
    description: answerWords(answer, chosen),
    tooltip: sketch(answer.processedContent, 300),
    icon: chosen ? 'check' : 'comment',
    kind: answerKind(run, step, index),
    id: `${runId}/${step.stepName}/${answer.responseId}`,
    target: { runId, step: step.stepName, response: index, responseId: answer.responseId },
    command: opens(viewUri('response', runId, step.stepName, answer.responseId)),
  });
}
