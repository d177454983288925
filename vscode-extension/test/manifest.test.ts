import { strict as assert } from 'node:assert';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { group } from './harness';

interface Manifest {
  readonly contributes: {
    readonly walkthroughs: readonly { readonly steps: readonly Step[] }[];
    readonly viewsWelcome: readonly { readonly contents: string }[];
  };
}

interface Step {
  readonly title: string;
  readonly description: string;
  readonly media: { readonly markdown: string };
  readonly completionEvents: readonly string[];
}

function extension(): { path: string; contributes: Manifest['contributes'] } {
  const found = vscode.extensions.getExtension('writeit.writeit');
  assert.ok(found);
  const { contributes } = found.packageJSON as Manifest;
  return { path: found.extensionPath, contributes };
}

/** The commands behind the buttons of a text. */
function linked(text: string): string[] {
  return [...text.matchAll(/\]\(command:([^?)]+)/g)].map(([, command = '']) => command);
}

group('manifest', (test) => {
  test('every button of the walkthrough and of empty lists leads to a command', async () => {
    const { walkthroughs, viewsWelcome } = extension().contributes;
    const known = new Set(await vscode.commands.getCommands(true));
    const texts = [
      ...walkthroughs.flatMap(({ steps }) => steps.map(({ description }) => description)),
      ...viewsWelcome.map(({ contents }) => contents),
    ];
    for (const command of texts.flatMap(linked)) {
      assert.ok(known.has(command), `${command} does not exist`);
    }
  });

  test('every step of the walkthrough has a page, and is ticked off by what its buttons do', async () => {
    const { path, contributes } = extension();
    for (const step of contributes.walkthroughs.flatMap(({ steps }) => steps)) {
      await access(join(path, step.media.markdown));
      assert.ok(step.completionEvents.length > 0, `${step.title} is ticked off by nothing`);
      for (const event of step.completionEvents) {
        const [, kind, what = ''] = /^(onCommand|onContext):(.*)$/.exec(event) ?? [];
        assert.ok(kind, `${event} is nothing that VS Code knows`);
        if (kind === 'onCommand') {
          assert.ok(linked(step.description).includes(what), `${step.title} has no ${what}`);
        }
      }
    }
  });

  test('no step is ticked off by a question that was merely asked', () => {
    const steps = extension().contributes.walkthroughs.flatMap((one) => one.steps);
    const asking = steps.flatMap(({ completionEvents }) => completionEvents);
    const commands = asking.filter((event) => event.startsWith('onCommand:'));
    assert.deepEqual(commands, ['onCommand:writeit.ui.server.info']); // it asks nothing
  });
});
