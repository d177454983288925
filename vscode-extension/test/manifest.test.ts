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
      const events = step.completionEvents.filter((event) => event.startsWith('onCommand:'));
      const commands = events.map((event) => event.replace('onCommand:', ''));
      assert.ok(commands.length > 0, `${step.title} is ticked off by nothing`);
      for (const command of commands) {
        assert.ok(linked(step.description).includes(command), `${step.title} has no ${command}`);
      }
    }
  });
});
