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

function readManifest(): { path: string; contributes: Manifest['contributes'] } {
  const writeit = vscode.extensions.getExtension('writeit.writeit');
  assert.ok(writeit);
  const { contributes } = writeit.packageJSON as Manifest;
  return { path: writeit.extensionPath, contributes };
}

/** The commands that a text links to. */
function commandLinks(text: string): string[] {
  return [...text.matchAll(/\]\(command:([^?)]+)/g)].map(([, command = '']) => command);
}

group('manifest', (test) => {
  test('every button of the walkthrough and of empty lists runs a command', async () => {
    const { walkthroughs, viewsWelcome } = readManifest().contributes;
    const known = new Set(await vscode.commands.getCommands(true));
    const texts = [
      ...walkthroughs.flatMap(({ steps }) => steps.map(({ description }) => description)),
      ...viewsWelcome.map(({ contents }) => contents),
    ];
    for (const command of texts.flatMap(commandLinks)) {
      assert.ok(known.has(command), `${command} does not exist`);
    }
  });

  test('every step of the walkthrough has a page and can be completed', async () => {
    const { path, contributes } = readManifest();
    for (const step of contributes.walkthroughs.flatMap(({ steps }) => steps)) {
      await access(join(path, step.media.markdown));
      assert.ok(step.completionEvents.length > 0, `${step.title} cannot be completed`);
      for (const event of step.completionEvents) {
        const [, kind, what = ''] = /^(onCommand|onContext):(.*)$/.exec(event) ?? [];
        assert.ok(kind, `${event} is unknown to VS Code`);
        if (kind === 'onCommand') {
          assert.ok(
            commandLinks(step.description).includes(what),
            `${step.title} has no button for ${what}`,
          );
        }
      }
    }
  });

  test('no command that asks a question completes a step', () => {
    const allSteps = readManifest().contributes.walkthroughs.flatMap(({ steps }) => steps);
    const events = allSteps.flatMap(({ completionEvents }) => completionEvents);
    const commands = events.filter((event) => event.startsWith('onCommand:'));
    assert.deepEqual(commands, ['onCommand:writeit.ui.server.info']);
  });
});
