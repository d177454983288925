import { strict as assert } from 'node:assert';
import * as vscode from 'vscode';
import { loadPipelines, loadPrimers } from '../src/views/library';
import { loadModels } from '../src/views/models';
import type { TreeNode } from '../src/views/treeNode';
import { loadRuns } from '../src/views/runs';
import { TreeProvider, type NodeLoader } from '../src/views/treeProvider';
import { article, ask, extension, finish, group, newRun, run, until } from './harness';

async function tree(lines: NodeLoader): Promise<TreeProvider> {
  return new TreeProvider(await extension(), lines);
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

function nameOf({ label = '' }: TreeNode): string {
  return typeof label === 'string' ? label : label.label;
}

function labels(nodes: readonly TreeNode[]): string[] {
  return nodes.map(nameOf);
}

function named(nodes: readonly TreeNode[], label: string): TreeNode {
  const found = nodes.find((node) => node.label === label);
  assert.ok(found, `${label} is not among ${labels(nodes).join(', ')}`);
  return found;
}

/** The commands that menus show on a line, by the tails of their ids. */
function shownOn({ contextValue = '' }: TreeNode): readonly string[] {
  const { contributes } = manifest() as Manifest;
  return contributes.menus['view/item/context'].flatMap(({ command, when = '' }) => {
    const pattern = /^view == writeit\.runs && viewItem =~ \/(.*)\/$/.exec(when)?.[1];
    return pattern !== undefined && new RegExp(pattern).test(contextValue)
      ? [command.replace('writeit.ui.line.', '')]
      : [];
  });
}

function assertShown(node: TreeNode, fits: readonly string[], not: readonly string[]): void {
  const shown = shownOn(node);
  for (const command of fits) {
    assert.ok(shown.includes(command), `${command} is not shown on ${nameOf(node)}`);
  }
  for (const command of not) {
    assert.ok(!shown.includes(command), `${command} is shown on ${nameOf(node)}`);
  }
}

/** What there is nothing for on a step that nobody was asked about. */
const OF_ANSWERS = [
  'run.branch',
  'run.rewind',
  'step.feedback',
  'step.choose',
  'step.regenerate',
  'response.compare',
];

group('trees', (test) => {
  test('a step shows only what fits: nothing asked, waiting for a choice, built upon', async () => {
    const { pipelineRunId: runId } = await newRun(await article(), { name: 'what fits' });
    const runs = await tree(loadRuns);
    const steps = async (): Promise<TreeNode[]> => {
      await runs.refresh();
      return runs.getChildren(named(await runs.getChildren(), 'what fits'));
    };
    assertShown(named(await steps(), 'angles'), ['step.run', 'step.skip'], OF_ANSWERS);
    assertShown(named(await steps(), 'draft'), [], [...OF_ANSWERS, 'step.run', 'step.skip']);
    await ask('writeit.step.run', { runId });
    const waiting = named(await steps(), 'angles');
    const choice = ['step.choose', 'step.regenerate', 'step.feedback', 'run.branch'];
    assertShown(waiting, choice, ['step.run', 'step.skip', 'run.rewind', 'response.compare']);
    await ask('writeit.step.select', { runId, response: 0 });
    await ask('writeit.step.skip', { runId });
    const built = named(await steps(), 'angles');
    assertShown(built, ['run.branch', 'run.rewind', 'step.feedback'], choice.slice(0, 2));
    const [answer] = await runs.getChildren(built);
    assert.ok(answer);
    assertShown(answer, ['response.rate'], ['step.chooseWithFeedback', 'draft.edit']);
    assertShown(named(await steps(), 'outline'), ['run.rewind'], ['run.branch', 'step.feedback']);
  });

  test('a run is restored from its line only while a text of it is applied', async () => {
    const { pipelineRunId: runId } = await newRun(await article(), { name: 'to restore' });
    const runs = await tree(loadRuns);
    const line = async (): Promise<TreeNode> => {
      await runs.refresh();
      return named(await runs.getChildren(), 'to restore');
    };
    assertShown(await line(), [], ['document.apply', 'document.restore']);
    await finish(runId);
    assertShown(await line(), ['document.apply'], ['document.restore']);
    await ask('writeit.step.apply', { runId, mode: 'replace' });
    assertShown(await line(), ['document.restore'], []);
    await ask('writeit.edit.restore', { runId });
    assertShown(await line(), ['document.apply'], ['document.restore']);
  });

  test('a family is a run, its steps, their answers and branches; each state in words', async () => {
    const { pipelineRunId: runId } = await newRun(await article(), { name: 'the mother' });
    await ask('writeit.step.run', { runId });
    await ask('writeit.step.select', { runId, response: 0 });
    await ask('writeit.run.branch', { runId, step: 'angles', name: 'the daughter' });
    const runs = await tree(loadRuns);
    const roots = await runs.getChildren();
    assert.ok(!labels(roots).includes('the daughter'));
    const mother = named(roots, 'the mother');
    assert.match(String(mother.description), /^tech-article, at outline/);
    const steps = await runs.getChildren(mother);
    assert.deepEqual(labels(steps), ['angles', 'outline', 'draft', 'polish']);
    const angles = named(steps, 'angles');
    assert.equal(angles.description, 'answer 1 chosen');
    assert.equal(named(steps, 'outline').description, 'not asked yet');
    const inside = await runs.getChildren(angles);
    assert.match(
      String(named(inside, 'Answer 1: openai/say-A%20first%20answer.').description),
      /chosen/,
    );
    assert.match(String(named(inside, 'the daughter').description), /from angles/);
  });

  test('a branch shows what it cost, as a run does', async () => {
    const models = { angles: ['openai/gpt-4o-mini'], outline: ['openai/gpt-4o-mini'] };
    const { pipelineRunId: runId } = await newRun(await article(), { name: 'paid', models });
    await ask('writeit.step.run', { runId });
    await ask('writeit.step.select', { runId, response: 0 });
    const branch = await ask('writeit.run.branch', { runId, step: 'angles', name: 'paid, too' });
    await ask('writeit.step.regenerate', { runId: branch.pipelineRunId });
    const runs = await tree(loadRuns);
    const root = named(await runs.getChildren(), 'paid');
    assert.match(String(root.description), /, \$0\.\d{4}$/);
    const inside = await runs.getChildren(named(await runs.getChildren(root), 'angles'));
    const line = named(inside, 'paid, too');
    assert.match(String(line.description), /^from angles, at angles, \$0\.\d{4}$/);
    const { runs: listed } = await ask('writeit.run.list', { limit: 1000 });
    const cost = listed.find((one) => one.runId === branch.pipelineRunId)?.costUsd;
    assert.ok(cost != null && cost > 0);
  });

  test('the step that waits for a choice is open, and folds once it is made', async () => {
    const { pipelineRunId: runId } = await newRun(await article(), { name: 'a choice' });
    await ask('writeit.step.run', { runId });
    const runs = await tree(loadRuns);
    const angles = async (): Promise<TreeNode> => {
      const found = named(await runs.getChildren(), 'a choice');
      return named(await runs.getChildren(found), 'angles');
    };
    const waiting = await angles();
    assert.equal(waiting.collapsibleState, vscode.TreeItemCollapsibleState.Expanded);
    await ask('writeit.step.select', { runId, response: 0 });
    await runs.refresh();
    const chosen = await angles();
    assert.equal(chosen.collapsibleState, vscode.TreeItemCollapsibleState.Collapsed);
    assert.notEqual(chosen.id, waiting.id);
  });

  test('of a run that is finished the last step is folded, too', async () => {
    const { pipelineRunId: runId } = await newRun(await article(), { name: 'a finished run' });
    await finish(runId);
    const runs = await tree(loadRuns);
    const steps = await runs.getChildren(named(await runs.getChildren(), 'a finished run'));
    assert.deepEqual(
      steps.map(({ collapsibleState }) => collapsibleState),
      steps.map(() => vscode.TreeItemCollapsibleState.Collapsed),
    );
  });

  test('while answers come, only what looks different is drawn anew, and lines stay the same', async () => {
    const editor = await article();
    const models = { angles: ['openai/say-First.', 'openai/paced-5-2000'] };
    const { pipelineRunId: runId } = await newRun(editor, { name: 'under the mouse', models });
    const { pipelineRunId: other } = await newRun(editor, { name: 'another' });
    const runs = await tree(loadRuns);
    const roots = await runs.getChildren();
    const under = await runs.getChildren(named(roots, 'under the mouse'));
    await runs.getChildren(named(roots, 'another'));
    const asked = ask('writeit.step.run', { runId });
    const answers = await until('an answer', async () => {
      await runs.refresh(new Set([runId]));
      const [angles] = await runs.getChildren(named(await runs.getChildren(), 'under the mouse'));
      const lines = angles?.children === undefined ? [] : await runs.getChildren(angles);
      return lines.length > 0 ? lines : undefined;
    });
    const drawn: (readonly TreeNode[] | undefined)[] = [];
    const listening = runs.onDidChangeTreeData((nodes) => drawn.push(nodes));
    await ask('writeit.response.rate', { runId, response: 0, score: 0.5 });
    await runs.refresh(new Set([runId]));
    await runs.refresh(new Set([runId, other]));
    listening.dispose();
    assert.deepEqual(drawn, [answers]);
    assert.match(String(answers[0]?.description), /rated 0\.5/);
    const again = await runs.getChildren(named(await runs.getChildren(), 'under the mouse'));
    assert.equal(again[1], under[1]);
    await ask('writeit.run.pause', { runId });
    await asked;
  });

  test('a new run, a branch and a deleted run show where they belong', async () => {
    const editor = await article();
    const { pipelineRunId: runId } = await newRun(editor, { name: 'the root' });
    await ask('writeit.step.skip', { runId });
    const runs = await tree(loadRuns);
    const angles = async (): Promise<readonly TreeNode[]> => {
      const [first] = await runs.getChildren(named(await runs.getChildren(), 'the root'));
      return first?.children === undefined ? [] : runs.getChildren(first);
    };
    assert.deepEqual(await angles(), []);
    const branch = await ask('writeit.run.branch', { runId, step: 'angles', name: 'the twig' });
    await runs.refresh(new Set([branch.pipelineRunId]));
    assert.deepEqual(labels(await angles()), ['the twig']);
    await ask('writeit.step.skip', { runId: branch.pipelineRunId });
    await runs.refresh(new Set([branch.pipelineRunId]));
    assert.match(String((await angles())[0]?.description), /at outline/);
    await ask('writeit.run.delete', { runId, descendants: true });
    await runs.refresh(new Set([runId, branch.pipelineRunId]));
    assert.ok(!labels(await runs.getChildren()).includes('the root'));
  });

  test('a click on a line that is just drawn anew does nothing, whatever is active', async () => {
    const { pipelineRunId: runId } = await newRun(await article());
    await ask('writeit.step.run', { runId });
    await run('writeit.ui.step.open', { runId, step: 'angles' });
    // What VS Code hands over of a line it has forgotten.
    await run('writeit.ui.line.step.choose', undefined, undefined);
    const { steps } = await ask('writeit.run.show', { runId });
    assert.equal(steps['angles']?.status, 'RUNNING');
    await run('writeit.ui.line.step.choose', { target: { runId, step: 'angles', response: 0 } });
    const after = await ask('writeit.run.show', { runId });
    assert.equal(after.steps['angles']?.status, 'COMPLETED');
  });

  test('every command on a line is one that does nothing without it', async () => {
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
      assert.ok(hidden.has(command), `${command} is in the palette, where there is no line`);
    }
  });

  test('every line says in words what its icon shows', async () => {
    for (const lines of [loadRuns, loadPipelines, loadPrimers, loadModels]) {
      const shown = await tree(lines);
      for (const node of await shown.getChildren()) {
        assert.ok(node.accessibilityInformation?.label.includes(nameOf(node)));
        assert.notEqual(node.description, '', `${nameOf(node)} has no words`);
      }
    }
  });

  test('a pipeline shows its inputs and steps, and starts from its line', async () => {
    const lines = await (await tree(loadPipelines)).getChildren();
    const pipeline = named(lines, 'tech-article');
    assert.equal(pipeline.contextValue, 'pipeline.document');
    assert.deepEqual(labels((await pipeline.children?.()) ?? []).slice(-4), [
      'angles',
      'outline',
      'draft',
      'polish',
    ]);
  });

  test('a model that cannot be asked says why', async () => {
    const providers = await (await tree(loadModels)).getChildren();
    const [model] = (await named(providers, 'embedded').children?.()) ?? [];
    assert.equal(model?.contextValue, 'model.installable');
    assert.match(String(model.description), /\w+ \w+/);
  });

  test('a preferred primer is marked', async () => {
    await run('writeit.ui.primer.use', { primer: 'academic' });
    const lines = await (await tree(loadPrimers)).getChildren();
    assert.match(String(named(lines, 'academic').description), /^preferred/);
    await ask('writeit.preferences.set', { stylePrimer: 'tech-journalist' });
  });
});
