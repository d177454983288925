import type { Labels } from '../labels';
import type { ToExtension } from '../messages';
import type { Typed } from './unsaved';

interface Options {
  readonly uri: string;
  readonly family: string;
  readonly size: number;
  readonly lineHeight: number;
  readonly labels: Labels;
  readonly hasImages: boolean;
}

/** What the page keeps over a reload of the window. */
export interface State {
  /** Words that are not saved, where the browser has no storage. */
  readonly typed: Readonly<Record<string, Typed>>;
  readonly scroll: number;
  /** The ids of panels and rounds that the user opened or closed. */
  readonly opened: Readonly<Record<string, boolean>>;
}

interface Api {
  postMessage(message: ToExtension): void;
  getState(): State | undefined;
  setState(state: State): void;
}

declare function acquireVsCodeApi(): Api;

const api = acquireVsCodeApi();
export const options = JSON.parse(document.body.dataset['options'] ?? '{}') as Options;
export const { labels } = options;

let state: State = { typed: {}, scroll: 0, opened: {}, ...api.getState() };

export function getState(): State {
  return state;
}

export function setState(change: Partial<State>): void {
  state = { ...state, ...change };
  api.setState(state);
}

export function post(message: ToExtension): void {
  api.postMessage(message);
}

/** A label with its placeholders filled in. */
export function fill(label: string, ...values: readonly (string | number)[]): string {
  return label.replaceAll(/\{(\d)\}/g, (whole, index) => String(values[Number(index)] ?? whole));
}

type Attributes = Readonly<Record<string, string | boolean | undefined>>;

/** A new element; attributes that are false or undefined are left out. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  setAttributes(made, attributes);
  made.append(...children);
  return made;
}

export function setAttributes(target: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === undefined) {
      target.removeAttribute(name);
    } else {
      target.setAttribute(name, value === true ? '' : value);
    }
  }
}

export interface ButtonSpec {
  readonly label: string;
  readonly run: () => void;
  readonly isPrimary?: boolean;
  readonly keys?: string;
  /** What tells it from buttons of the same label, for people who do not see where it is. */
  readonly about?: string;
}

export function button({ label, run, isPrimary = false, keys, about }: ButtonSpec): HTMLElement {
  const made = element(
    'button',
    {
      type: 'button',
      class: isPrimary ? 'primary' : 'quiet',
      'aria-label': about === undefined ? undefined : `${label}, ${about}`,
      'aria-keyshortcuts': keys?.replace('Ctrl', 'Control'),
      title: keys,
    },
    label,
  );
  made.addEventListener('click', run);
  return made;
}

/**
 * Put children into an element in this order. Those that are there already stay as they are, with
 * their focus and selection.
 */
export function arrange(parent: Element, children: readonly Element[]): void {
  for (const old of [...parent.children]) {
    if (!children.includes(old)) {
      old.remove();
    }
  }
  children.forEach((child, index) => {
    if (parent.children[index] !== child) {
      parent.insertBefore(child, parent.children[index] ?? null);
    }
  });
}

/** Replace the buttons of a bar, unless they are what it has; the focus stays on its label. */
export function setButtons(bar: Element, specs: readonly ButtonSpec[]): void {
  const key = JSON.stringify(specs.map(({ label, about }) => [label, about]));
  const shown = bar as HTMLElement;
  handlers.set(bar, specs);
  if (shown.dataset['buttons'] === key) {
    return;
  }
  shown.dataset['buttons'] = key;
  const focused = bar.contains(document.activeElement) ? document.activeElement : null;
  const made = specs.map((spec, index) =>
    button({ ...spec, run: () => handlers.get(bar)?.[index]?.run() }),
  );
  bar.replaceChildren(...made);
  made.find((each) => each.textContent === focused?.textContent)?.focus();
}

const handlers = new WeakMap<Element, readonly ButtonSpec[]>();
