import type { Act, SimpleAct } from '../messages';
import { post, type ButtonSpec } from './dom';

let isBusy = false;

/** Ask the extension for an act; a second click before it has begun does nothing. */
export function act(what: Act): void {
  if (!isBusy) {
    const isRewrite = what.act === 'remark' && what.what === 'rewrite';
    isBusy = isRewrite || ['choose', 'merge', 'regenerate'].includes(what.act);
    post({ kind: 'act', act: what });
  }
}

/** The buttons of acts that need nothing but the page, where they are shown. */
export function actButtons(
  ...all: readonly (readonly [
    isShown: boolean,
    label: string,
    what: SimpleAct['act'],
    isPrimary?: boolean,
  ])[]
): ButtonSpec[] {
  const shown = all.filter(([isShown]) => isShown);
  return shown.map(([, label, what, isPrimary = false]) => ({
    label,
    isPrimary,
    run: () => {
      act({ act: what });
    },
  }));
}

/** The act has ended, or the page shows what it did. */
export function allowActs(): void {
  isBusy = false;
}
