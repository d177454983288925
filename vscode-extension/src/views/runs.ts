import type { App } from '../app';
import type { PipelineRun, RunSummary, RunTree, StepState } from '../protocol';
import { viewUri } from '../uris';
import { answerWords, costWords, modelOf, runWords, sketch, stepWords } from '../words';
import { Node, opens } from './node';
import type { Tree } from './tree';

const PAGE = 50;

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
  const lines = runs
    .filter(({ parentRunId }) => parentRunId === null || !ids.has(parentRunId))
    .map((run, place) => runNode(app, run, place === 0));
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

function runNode(app: App, run: RunSummary, expanded: boolean): Node {
  const { runId } = run;
  const state = runWords(run.status, run.currentStep);
  const cost = run.costUsd === null ? [] : [costWords(run.costUsd)];
  return new Node(
    run.name ?? run.title,
    {
      description: [run.pipeline, state, ...cost].join(', '),
      tooltip: `${run.title}\n${run.pipeline}: ${state}, ${costWords(run.costUsd)}\nbegun ${new Date(run.createdAt).toLocaleString()}`,
      icon: ICONS[run.status],
      kind: `run.${run.status}`,
      id: runId,
      expanded,
      run: runId,
      target: { runId },
      command: opens(viewUri('run', runId)),
    },
    () => inRun(app, runId),
  );
}

function branchNode(app: App, run: RunTree): Node {
  const { runId, name, branchPoint } = run;
  const label = name ?? `Branch at ${branchPoint ?? 'the beginning'}`;
  if (run.deleted) {
    return new Node(label, { id: runId, description: 'deleted', icon: 'trash' });
  }
  const from = name === null ? '' : `from ${branchPoint ?? 'the beginning'}, `;
  return new Node(
    label,
    {
      description: from + runWords(run.status, run.currentStep),
      icon: 'git-branch',
      kind: `run.${run.status}.branch`,
      id: runId,
      run: runId,
      target: { runId },
      command: opens(viewUri('run', runId)),
    },
    () => inRun(app, runId),
  );
}

/** A run's steps, each with its answers and with the runs that branched off there. */
async function inRun(app: App, runId: string): Promise<readonly Node[]> {
  const [run, family] = await Promise.all([
    app.server.ask('writeit.run.show', { runId }),
    app.server.ask('writeit.run.tree', { runId, depth: 1 }),
  ]);
  return Object.values(run.steps).map((step) => {
    const branches = family.children.filter(({ branchPoint }) => branchPoint === step.stepName);
    return stepNode(app, run, step, branches);
  });
}

const STEP_ICONS = {
  PENDING: 'circle-outline',
  RUNNING: 'question',
  COMPLETED: 'check',
  SKIPPED: 'debug-step-over',
} as const;

function stepNode(
  app: App,
  { pipelineRunId: runId, currentStep }: PipelineRun,
  step: StepState,
  branches: readonly RunTree[],
): Node {
  const lines = [
    ...step.aiResponses.map((_, index) => answerNode(runId, step, index)),
    ...branches.map((branch) => branchNode(app, branch)),
  ];
  const isOpen = step.stepName === currentStep && step.status !== 'COMPLETED';
  const matters = isOpen || branches.length > 0;
  const expanded = matters && lines.length > 0;
  return new Node(
    step.stepName,
    {
      description: stepWords(step),
      icon: step.streaming.length > 0 ? 'sync~spin' : STEP_ICONS[step.status],
      kind: `step.${step.streaming.length > 0 ? 'STREAMING' : step.status}`,
      // Whether a line is open is remembered by its id: one that matters now is a new line.
      id: `${runId}/${step.stepName}${expanded ? '/now' : ''}`,
      target: { runId, step: step.stepName },
      command: opens(viewUri('step', runId, step.stepName)),
      expanded,
    },
    lines.length === 0 ? undefined : () => Promise.resolve(lines),
  );
}

function answerNode(runId: string, step: StepState, index: number): Node {
  const answer = step.aiResponses[index];
  if (answer === undefined) {
    throw new RangeError(`${step.stepName} has no answer ${index + 1}`);
  }
  const chosen = index === step.userSelection;
  return new Node(`Answer ${index + 1}: ${modelOf(answer)}`, {
    description: answerWords(answer, chosen),
    tooltip: sketch(answer.processedContent, 300),
    icon: chosen ? 'check' : 'comment',
    kind: chosen ? 'answer.chosen' : 'answer',
    id: `${runId}/${step.stepName}/${answer.responseId}`,
    target: { runId, step: step.stepName, response: index, responseId: answer.responseId },
    command: opens(viewUri('response', runId, step.stepName, answer.responseId)),
  });
}
