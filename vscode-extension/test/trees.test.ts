import { strict as assert } from 'node:assert';
import * as vscode from 'vscode';
import { pipelineLines, primerLines } from '../src/views/library';
import { modelLines } from '../src/views/models';
import type { Node } from '../src/views/node';
import { runLines } from '../src/views/runs';
import { Tree, type Lines } from '../src/views/tree';
import { article, ask, extension, group, newRun, run } from './harness';

async function tree(lines: Lines): Promise<Tree> {
  return new Tree(await extension(), lines);
}

function nameOf({ label = '' }: Node): string {
  return typeof label === 'string' ? label : label.label;
}

function labels(nodes: readonly Node[]): string[] {
  return nodes.map(nameOf);
}

function named(nodes: readonly Node[], label: string): Node {
  const found = nodes.find((node) => node.label === label);
  assert.ok(found, `${label} is not among ${labels(nodes).join(', ')}`);
  return found;
}

group('trees', (test) => {
  test('a family is a run, its steps, their answers and branches; each state in words', async () => {
    const { pipelineRunId: runId } = await newRun(await article(), { name: 'the mother' });
    await ask('writeit.step.run', { runId });
    await ask('writeit.step.select', { runId, response: 0 });
    await ask('writeit.run.branch', { runId, step: 'angles', name: 'the daughter' });
    const runs = await tree(runLines);
    const roots = await runs.getChildren();
    assert.ok(!labels(roots).includes('the daughter'));
    const mother = named(roots, 'the mother');
    assert.match(String(mother.description), /^tech-article, under way, at outline/);
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

  test('the step that waits for a choice is open, and folds once it is made', async () => {
    const { pipelineRunId: runId } = await newRun(await article(), { name: 'a choice' });
    await ask('writeit.step.run', { runId });
    const runs = await tree(runLines);
    const angles = async (): Promise<Node> => {
      const found = named(await runs.getChildren(), 'a choice');
      return named(await runs.getChildren(found), 'angles');
    };
    const waiting = await angles();
    assert.equal(waiting.collapsibleState, vscode.TreeItemCollapsibleState.Expanded);
    await ask('writeit.step.select', { runId, response: 0 });
    const chosen = await angles();
    assert.equal(chosen.collapsibleState, vscode.TreeItemCollapsibleState.Collapsed);
    assert.notEqual(chosen.id, waiting.id);
  });

  test('every line says in words what its icon shows', async () => {
    for (const lines of [runLines, pipelineLines, primerLines, modelLines]) {
      const shown = await tree(lines);
      for (const node of await shown.getChildren()) {
        assert.ok(node.accessibilityInformation?.label.includes(nameOf(node)));
        assert.notEqual(node.description, '', `${nameOf(node)} has no words`);
      }
    }
  });

  test('a pipeline shows its inputs and steps, and starts from its line', async () => {
    const lines = await (await tree(pipelineLines)).getChildren();
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
    const providers = await (await tree(modelLines)).getChildren();
    const [model] = (await named(providers, 'embedded').children?.()) ?? [];
    assert.equal(model?.contextValue, 'model.installable');
    assert.match(String(model.description), /\w+ \w+/);
  });

  test('a preferred primer is marked', async () => {
    await run('writeit.ui.primer.use', { primer: 'academic' });
    const lines = await (await tree(primerLines)).getChildren();
    assert.match(String(named(lines, 'academic').description), /^preferred/);
    await ask('writeit.preferences.set', { stylePrimer: 'tech-journalist' });
  });
});
