// The words to look for: titles from the extension's package.json, all others from wording.json.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { required } from './browser.mjs';

const { contributes } = JSON.parse(readFileSync(join(required('EXTENSION'), 'package.json'), 'utf8'));
const [walkthrough] = contributes.walkthroughs;

export const WORDING = JSON.parse(readFileSync(new URL('../wording.json', import.meta.url), 'utf8'));

/** The title of a command, by its id without `writeit.ui.`. */
export function titleOf(command) {
  const found = contributes.commands.find((entry) => entry.command === `writeit.ui.${command}`);
  if (!found) throw new Error(`package.json has no command ${command}`);
  return found.title;
}

export const WALKTHROUGH = walkthrough.title;

/** A step of the walkthrough by its id: its title, and the labels of its buttons by command. */
export function walkthroughStep(id) {
  const { title, description } = walkthrough.steps.find((step) => step.id === id);
  const links = [...description.matchAll(/\[([^\]]+)\]\(command:writeit\.ui\.([^)]+)\)/g)];
  return { title, buttons: Object.fromEntries(links.map(([, label, command]) => [command, label])) };
}
