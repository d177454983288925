import type { Act } from '../messages';
import { post } from './dom';

let isBusy = false;

/** Ask the extension for an act; a second click before it has begun does nothing. */
export function act(what: Act): void {
  if (!isBusy) {
    isBusy = what.act === 'choose' || what.act === 'merge' || what.act === 'regenerate';
    post({ kind: 'act', act: what });
  }
}

/** The act has ended, or the page shows what it did. */
export function allowActs(): void {
  isBusy = false;
}
