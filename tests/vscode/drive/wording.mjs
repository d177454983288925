// The words to look for: titles from the extension's package.json, all others from wording.json.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { required } from './browser.mjs';

const read = (name) => JSON.parse(readFileSync(join(required('EXTENSION'), name), 'utf8'));
const { contributes } = read('package.json');
const texts = read('package.nls.json');
const resolved = (text) => texts[text.slice(1, -1)];
const [walkthrough] = contributes.walkthroughs;

export const WORDING = JSON.parse(readFileSync(new URL('../wording.json', import.meta.url), 'utf8'));

/** The title of a command, by its id without `writeit.ui.`. */
export function titleOf(command) {
  const found = contributes.commands.find((entry) => entry.command === `writeit.ui.${command}`);
  if (!found) throw new Error(`package.json has no command ${command}`);
  return resolved(found.title);
}

export const WALKTHROUGH = resolved(walkthrough.title);

/** A step of the walkthrough by its id: its title, and the labels of its buttons by command. */
export function walkthroughStep(id) {
  const step = walkthrough.steps.find((candidate) => candidate.id === id);
  const [title, description] = [resolved(step.title), resolved(step.description)];
  const links = [...description.matchAll(/\[([^\]]+)\]\(command:writeit\.ui\.([^)]+)\)/g)];
  return { title, buttons: Object.fromEntries(links.map(([, label, command]) => [command, label])) };
}
