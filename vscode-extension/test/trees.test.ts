import { strict as assert } from 'node:assert';
import * as vscode from 'vscode';
import { deskPage } from '../src/desk/pageModel';
import { viewUri } from '../src/pages/uris';
import { loadPipelines, loadPrimers } from '../src/views/library';
import { loadModels } from '../src/views/models';
import type { TreeNode } from '../src/views/treeNode';
import { loadRuns } from '../src/views/runs';
import { stepStatusText } from '../src/wording';
import { TreeProvider, type NodeLoader } from '../src/views/treeProvider';
import {
  activateExtension,
  completeRun,
  execute,
  firstStepAnswer,
  group,
  openArticle,
  polishParams,
  run,
  startRun,
  waitFor,
} from './harness';

async function createTree(lines: NodeLoader): Promise<TreeProvider> {
  return new TreeProvider(await activateExtension(), lines);
}

interface Entry {
  readonly command: string;
  readonly when?: string;
}

interface Manifest {
  readonly contributes: {
    readonly menus: Readonly<Record<'view/item/context' | 'commandPalette', readonly Entry[]>>;
  };
}

function manifest(): unknown {
  return vscode.extensions.getExtension('writeit.writeit')?.packageJSON;
}

function labelOf({ label = '' }: TreeNode): string {
  return typeof label === 'string' ? label : label.label;
}

function labels(nodes: readonly TreeNode[]): string[] {
  return nodes.map(labelOf);
}

function findNode(nodes: readonly TreeNode[], label: string): TreeNode {
  const match = nodes.find((node) => node.label === label);
  assert.ok(match, `${label} is not among ${labels(nodes).join(', ')}`);
  return match;
}

/** The commands in the menus of a node, by their ids without `writeit.ui.line.`. */
function menuCommands({ contextValue = '' }: TreeNode): readonly string[] {
  const { contributes } = manifest() as Manifest;
  return contributes.menus['view/item/context'].flatMap(({ command, when = '' }) => {
    const pattern = /^view == writeit\.runs && viewItem =~ \/(.*)\/$/.exec(when)?.[1];
    return pattern !== undefined && new RegExp(pattern).test(contextValue)
      ? [command.replace('writeit.ui.line.', '')]
      : [];
  });
}

function assertMenu(node: TreeNode, fits: readonly string[], not: readonly string[]): void {
  const shown = menuCommands(node);
  for (const command of fits) {
    assert.ok(shown.includes(command), `${command} is not offered for ${labelOf(node)}`);
  }
  for (const command of not) {
    assert.ok(!shown.includes(command), `${command} is offered for ${labelOf(node)}`);
  }
}

/** Commands that need an answer. */
const ANSWER_COMMANDS = [
  'run.branch',
  'run.rewind',
  'step.feedback',
  'step.choose',
  'step.regenerate',
  'response.compare',
];

group('trees', (test) => {
  test('a step offers only commands that apply to its state', async () => {
    const { pipelineRunId: runId } = await startRun(await openArticle(), { name: 'what fits' });
    const runs = await createTree(loadRuns);
    const steps = async (): Promise<TreeNode[]> => {
      await runs.refresh();
      return runs.getChildren(findNode(await runs.getChildren(), 'what fits'));
    };
    assertMenu(findNode(await steps(), 'angles'), ['step.run', 'step.skip'], ANSWER_COMMANDS);
    assertMenu(findNode(await steps(), 'draft'), [], [...ANSWER_COMMANDS, 'step.run', 'step.skip']);
    await execute('writeit.step.run', { runId });
    const waiting = findNode(await steps(), 'angles');
    const choice = ['step.choose', 'step.regenerate', 'step.feedback', 'run.branch'];
    assertMenu(waiting, choice, ['step.run', 'step.skip', 'run.rewind', 'response.compare']);
    await execute('writeit.step.select', { runId, response: 0 });
    await execute('writeit.step.skip', { runId });
    const built = findNode(await steps(), 'angles');
    assertMenu(built, ['run.branch', 'run.rewind', 'step.feedback'], choice.slice(0, 2));
    const [answer] = await runs.getChildren(built);
    assert.ok(answer);
    assertMenu(answer, ['response.rate'], ['step.chooseWithFeedback', 'draft.edit']);
    assertMenu(findNode(await steps(), 'outline'), ['run.rewind'], ['run.branch', 'step.feedback']);
  });

  test('a blind choice shows letters, and no model, cost or number, until it is made', async () => {
    const settings = vscode.workspace.getConfiguration('writeit');
    await settings.update('blind', true, vscode.ConfigurationTarget.Global);
    const { server } = await activateExtension();
    const runs = await createTree(loadRuns);
    const texts = async (runId: string): Promise<string> => {
      await runs.refresh();
      const step = await runs.getChildren(findNode(await runs.getChildren(), 'blindly'));
      const answers = await runs.getChildren(findNode(step, 'angles'));
      const uri = viewUri('step', runId, 'angles');
      const read = await server.execute('writeit.view.read', { uri: uri.toString() });
      const lines = answers.map((node) => `${labelOf(node)} ${String(node.description)}`);
      return [...lines, JSON.stringify(deskPage(read, uri.path))].join('\n');
    };
    try {
      const models = { angles: ['openai/say-Rivers+20run.', 'openai/say-Water+20moves.'] };
      const params = { name: 'blindly', models };
      const { pipelineRunId: runId } = await startRun(await openArticle(), params);
      await execute('writeit.step.run', { runId });
      const before = await texts(runId);
      assert.match(before, /^Answer A .*\nAnswer B /);
      assert.doesNotMatch(before, /openai|\$|answer [12]/i);
      await execute('writeit.step.select', { runId, response: 0 });
      assert.match(await texts(runId), /Answer 1: openai.*\n.*shown as [AB]/s);
    } finally {
      await settings.update('blind', undefined, vscode.ConfigurationTarget.Global);
    }
  });

  test('a run can be restored only while its text is applied', async () => {
    const { pipelineRunId: runId } = await startRun(await openArticle(), { name: 'to restore' });
    const runs = await createTree(loadRuns);
    const line = async (): Promise<TreeNode> => {
      await runs.refresh();
      return findNode(await runs.getChildren(), 'to restore');
    };
    assertMenu(await line(), [], ['document.apply', 'document.restore']);
    await completeRun(runId);
    assertMenu(await line(), ['document.apply'], ['document.restore']);
    await execute('writeit.step.apply', { runId, mode: 'replace' });
    assertMenu(await line(), ['document.restore'], []);
    await execute('writeit.edit.restore', { runId });
    assertMenu(await line(), ['document.apply'], ['document.restore']);
  });

  test('a run has steps, which have answers and branches, with their states in words', async () => {
    const { pipelineRunId: runId } = await startRun(await openArticle(), { name: 'the parent' });
    await execute('writeit.step.run', { runId });
    await execute('writeit.step.select', { runId, response: 0 });
    await execute('writeit.run.branch', { runId, step: 'angles', name: 'the child' });
    const run = await execute('writeit.run.show', { runId });
    const stateOf = (step: string): string | undefined => {
      const state = run.steps[step];
      return state && stepStatusText(state);
    };
    const runs = await createTree(loadRuns);
    const roots = await runs.getChildren();
    assert.ok(!labels(roots).includes('the child'));
    const parent = findNode(roots, 'the parent');
    assert.match(String(parent.description), /^tech-article, .*outline/);
    const steps = await runs.getChildren(parent);
    assert.deepEqual(labels(steps), ['angles', 'outline', 'draft', 'polish']);
    const angles = findNode(steps, 'angles');
    assert.equal(angles.description, stateOf('angles'));
    assert.equal(findNode(steps, 'outline').description, stateOf('outline'));
    const inside = await runs.getChildren(angles);
    assert.match(
      String(findNode(inside, 'Answer 1: openai/say-A+20first+20answer.').description),
      /chosen/,
    );
    assert.match(String(findNode(inside, 'the child').description), /from angles/);
  });

  test('a branch shows its cost, as a run does', async () => {
    const models = { angles: ['openai/gpt-4o-mini'], outline: ['openai/gpt-4o-mini'] };
    const { pipelineRunId: runId } = await startRun(await openArticle(), { name: 'paid', models });
    await execute('writeit.step.run', { runId });
    await execute('writeit.step.select', { runId, response: 0 });
    const branch = await execute('writeit.run.branch', {
      runId,
      step: 'angles',
      name: 'paid, too',
    });
    await execute('writeit.step.regenerate', { runId: branch.pipelineRunId });
    const runs = await createTree(loadRuns);
    const root = findNode(await runs.getChildren(), 'paid');
    assert.match(String(root.description), /, \$0\.\d{4}, \S+$/);
    const inside = await runs.getChildren(findNode(await runs.getChildren(root), 'angles'));
    const line = findNode(inside, 'paid, too');
    assert.match(String(line.description), /^from angles, .*angles, \$0\.\d{4}, \S+$/);
    const { runs: listed } = await execute('writeit.run.list', { limit: 1000 });
    const cost = listed.find((run) => run.runId === branch.pipelineRunId)?.costUsd;
    assert.ok(cost != null && cost > 0);
  });

  test('runs about passages are collapsed below the run of their document', async () => {
    const editor = await openArticle();
    const { pipelineRunId: runId } = await startRun(editor, { name: 'of the document' });
    await execute('writeit.step.skip', { runId });
    await execute('writeit.run.branch', { runId, step: 'angles', name: 'newest' });
    await run('writeit.document.polish', polishParams(editor, 2, 'openai/say-Water+20moves.'));
    const label = '“A river is moving water.”';
    const runs = await createTree(loadRuns);
    const roots = await runs.getChildren();
    assert.ok(!labels(roots).includes(label));
    const under = await runs.getChildren(findNode(roots, 'of the document'));
    const passages = findNode(under, 'Passages');
    assert.equal(passages, under.at(-1));
    assert.equal(passages.description, '1 run');
    assert.equal(passages.collapsibleState, vscode.TreeItemCollapsibleState.Collapsed);
    const [passage] = await runs.getChildren(passages);
    assert.equal(passage?.label, label);
    assert.match(String(passage.description), /^polish-passage, finished, .*\d{4}$/);
  });

  test('a step is expanded while it waits for a choice', async () => {
    const { pipelineRunId: runId } = await startRun(await openArticle(), { name: 'a choice' });
    await execute('writeit.step.run', { runId });
    const runs = await createTree(loadRuns);
    const angles = async (): Promise<TreeNode> => {
      const run = findNode(await runs.getChildren(), 'a choice');
      return findNode(await runs.getChildren(run), 'angles');
    };
    const waiting = await angles();
    assert.equal(waiting.collapsibleState, vscode.TreeItemCollapsibleState.Expanded);
    await execute('writeit.step.select', { runId, response: 0 });
    await runs.refresh();
    const chosen = await angles();
    assert.equal(chosen.collapsibleState, vscode.TreeItemCollapsibleState.Collapsed);
    assert.notEqual(chosen.id, waiting.id);
  });

  test('all steps of a finished run are collapsed', async () => {
    const { pipelineRunId: runId } = await startRun(await openArticle(), {
      name: 'a finished run',
    });
    await completeRun(runId);
    const runs = await createTree(loadRuns);
    const steps = await runs.getChildren(findNode(await runs.getChildren(), 'a finished run'));
    assert.deepEqual(
      steps.map(({ collapsibleState }) => collapsibleState),
      steps.map(() => vscode.TreeItemCollapsibleState.Collapsed),
    );
  });

  test('while answers stream, only nodes that look different are redrawn', async () => {
    const editor = await openArticle();
    const models = { angles: ['openai/say-First.', 'openai/paced-5-2000'] };
    const { pipelineRunId: runId } = await startRun(editor, { name: 'under the mouse', models });
    const { pipelineRunId: other } = await startRun(editor, { name: 'another' });
    const runs = await createTree(loadRuns);
    const roots = await runs.getChildren();
    const under = await runs.getChildren(findNode(roots, 'under the mouse'));
    await runs.getChildren(findNode(roots, 'another'));
    const asked = execute('writeit.step.run', { runId });
    const answers = await waitFor('an answer', async () => {
      await runs.refresh(new Set([runId]));
      const [angles] = await runs.getChildren(
        findNode(await runs.getChildren(), 'under the mouse'),
      );
      const lines = angles?.children === undefined ? [] : await runs.getChildren(angles);
      return lines.length > 0 ? lines : undefined;
    });
    await runs.refresh(new Set([runId])); // the run was read before its answer
    const drawn: (readonly TreeNode[] | undefined)[] = [];
    const listening = runs.onDidChangeTreeData((nodes) => drawn.push(nodes));
    await execute('writeit.response.rate', { runId, response: 0, score: 0.5 });
    await runs.refresh(new Set([runId]));
    await runs.refresh(new Set([runId, other]));
    listening.dispose();
    assert.deepEqual(drawn, [answers]);
    assert.match(String(answers[0]?.description), /rated 2\.5 of 5/);
    const again = await runs.getChildren(findNode(await runs.getChildren(), 'under the mouse'));
    assert.equal(again[1], under[1]);
    await execute('writeit.run.pause', { runId });
    await asked;
  });

  test('new runs, branches and deleted runs appear in their places', async () => {
    const editor = await openArticle();
    const { pipelineRunId: runId } = await startRun(editor, { name: 'a root' });
    await execute('writeit.step.skip', { runId });
    const runs = await createTree(loadRuns);
    const angles = async (): Promise<readonly TreeNode[]> => {
      const [first] = await runs.getChildren(findNode(await runs.getChildren(), 'a root'));
      return first?.children === undefined ? [] : runs.getChildren(first);
    };
    assert.deepEqual(await angles(), []);
    const branch = await execute('writeit.run.branch', { runId, step: 'angles', name: 'a branch' });
    await runs.refresh(new Set([branch.pipelineRunId]));
    assert.deepEqual(labels(await angles()), ['a branch']);
    await execute('writeit.step.skip', { runId: branch.pipelineRunId });
    await runs.refresh(new Set([branch.pipelineRunId]));
    assert.match(String((await angles())[0]?.description), /outline/);
    await execute('writeit.run.delete', { runId, descendants: true });
    await runs.refresh(new Set([runId, branch.pipelineRunId]));
    assert.ok(!labels(await runs.getChildren()).includes('a root'));
  });

  test('a click on a node that is being redrawn does nothing', async () => {
    const { pipelineRunId: runId } = await startRun(await openArticle());
    await execute('writeit.step.run', { runId });
    await run('writeit.ui.step.open', { runId, step: 'angles' });
    // VS Code passes no node while it redraws.
    await run('writeit.ui.line.step.choose', undefined, undefined);
    const { steps } = await execute('writeit.run.show', { runId });
    assert.equal(steps['angles']?.status, 'RUNNING');
    await run('writeit.ui.line.step.choose', { target: await firstStepAnswer(runId, 0) });
    const after = await execute('writeit.run.show', { runId });
    assert.equal(after.steps['angles']?.status, 'COMPLETED');
  });

  test('every command of a node does nothing without its node', async () => {
    const { contributes } = manifest() as Manifest;
    const commands = contributes.menus['view/item/context'].map(({ command }) => command);
    const registered = new Set(await vscode.commands.getCommands(true));
    const hidden = new Set(
      contributes.menus.commandPalette.flatMap(({ command, when }) =>
        when === 'false' ? [command] : [],
      ),
    );
    for (const command of commands) {
      assert.match(command, /^writeit\.ui\.line\./);
      assert.ok(registered.has(command), `${command} is not registered`);
      assert.ok(hidden.has(command), `${command} is in the palette, where there is no node`);
    }
  });

  test('every node says in words what its icon shows', async () => {
    for (const lines of [loadRuns, loadPipelines, loadPrimers, loadModels]) {
      const shown = await createTree(lines);
      for (const node of await shown.getChildren()) {
        assert.ok(node.accessibilityInformation?.label.includes(labelOf(node)));
        assert.notEqual(node.description, '', `${labelOf(node)} has no description`);
      }
    }
  });

  test('a pipeline shows its inputs and steps, and can be started', async () => {
    const lines = await (await createTree(loadPipelines)).getChildren();
    const pipeline = findNode(lines, 'tech-article');
    assert.equal(pipeline.contextValue, 'pipeline.document');
    assert.deepEqual(labels((await pipeline.children?.()) ?? []).slice(-4), [
      'angles',
      'outline',
      'draft',
      'polish',
    ]);
  });

  test('a model that is not available says why', async () => {
    const providers = await (await createTree(loadModels)).getChildren();
    const [model] = (await findNode(providers, 'embedded').children?.()) ?? [];
    assert.equal(model?.contextValue, 'model.installable');
    assert.match(String(model.description), /\w+ \w+/);
  });

  test('the default style is marked', async () => {
    const primers = await createTree(loadPrimers);
    const academic = async (): Promise<string> => {
      await primers.refresh();
      return String(findNode(await primers.getChildren(), 'academic').description);
    };
    const before = await academic();
    await run('writeit.ui.primer.use', { primer: 'academic' });
    assert.ok((await academic()).endsWith(`, ${before}`));
    await execute('writeit.preferences.set', { stylePrimer: 'tech-journalist' });
  });
});
