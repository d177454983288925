import type { Place } from '../messages';
import { getState, options, post, setState } from './dom';

/** What the user typed into a place, and the saved text that it is to replace. */
export interface Typed {
  readonly text: string;
  readonly replaces: string;
}

// Written with the input event itself, until the server has the words. The state that VS Code
// keeps of a page is written seconds later, and not at all if the window is closed before.
const prefix = `writeit/${options.uri}/`;
const storage = ((): Storage | undefined => {
  try {
    const { localStorage } = window;
    localStorage.setItem(prefix, '');
    localStorage.removeItem(prefix);
    return localStorage;
  } catch {
    return undefined;
  }
})();

const all = new Map<Place, Typed>(Object.entries(readAll()));

function readAll(): Readonly<Record<Place, Typed>> {
  if (storage === undefined) {
    return getState().typed;
  }
  const keys = Object.keys(storage).filter((key) => key.startsWith(prefix));
  return Object.fromEntries(
    keys.map((key) => [key.slice(prefix.length), JSON.parse(storage.getItem(key) ?? '') as Typed]),
  );
}

export function typedIn(place: Place): Typed | undefined {
  return all.get(place);
}

/** Keep what was typed and have it saved. */
export function keepTyped(place: Place, text: string, replaces: string): void {
  const before = all.get(place);
  write(place, { text, replaces: before?.replaces ?? replaces });
  post({ kind: 'draft', place, text, ...(before === undefined ? { replaces } : {}) });
}

/** The server has a text; what was typed since replaces it. */
export function markSaved(place: Place, saved: string): void {
  const typed = all.get(place);
  if (typed !== undefined) {
    write(place, typed.text === saved ? undefined : { text: typed.text, replaces: saved });
  }
}

/** Another window has saved something meanwhile: both texts are kept. Returns them. */
export function joinNewer(place: Place, newer: string): string | undefined {
  const typed = all.get(place);
  if (typed === undefined) {
    return undefined;
  }
  const text = joined(newer, addedTo(typed, newer));
  write(place, undefined);
  keepTyped(place, text, newer);
  return text;
}

/** What the user added at the end, if the other text kept what that was added to. */
function addedTo({ text, replaces }: Typed, newer: string): string {
  const isAddition = text.startsWith(replaces) && newer.startsWith(replaces);
  return isAddition ? text.slice(replaces.length).trim() : text;
}

function joined(one: string, other: string): string {
  const [longer, shorter] = one.length > other.length ? [one, other] : [other, one];
  return longer.includes(shorter.trim()) ? longer : `${one.trimEnd()}\n\n${other}`;
}

/** Send again what the server did not have when the page was last open. */
export function sendTyped(): void {
  for (const [place, { text, replaces }] of all) {
    post({ kind: 'draft', place, text, replaces });
  }
}

function write(place: Place, typed: Typed | undefined): void {
  if (typed === undefined) {
    all.delete(place);
    storage?.removeItem(prefix + place);
  } else {
    all.set(place, typed);
    storage?.setItem(prefix + place, JSON.stringify(typed));
  }
  if (storage === undefined) {
    setState({ typed: Object.fromEntries(all) });
  }
}
