import type * as vscode from 'vscode';
import { DelayedWork } from '../delayedWork';
import type { Server } from '../server/server';
import type { Place, TypedText } from './messages';

const SAVE_MS = 300;

interface Listeners {
  /** Do work after all that was given before it, so that a page that is read is never older. */
  enqueue(work: () => Promise<void>): Promise<void>;
  /** Whether the page is there to be told. */
  saved(place: Place, text: string): boolean;
  /** Another window has saved a text that the words here do not replace. */
  changed(place: Place, newer: string): void;
  failed(error: unknown): void;
}

/** All pages whose words may not be saved yet. */
const open = new Set<DraftSaver>();

/** What was saved, by page and place, when the page was closed or hidden: it sends that again. */
const untold = new Map<string, Map<Place, string>>();

/** Save what was typed into any page; the window is about to close. */
export async function saveAllDrafts(): Promise<void> {
  await Promise.all([...open].map((saver) => saver.flush()));
}

/** Keeps what the user types into the page of a step, in the server's store. */
export class DraftSaver implements vscode.Disposable {
  readonly #server: Server;
  readonly #address: { readonly runId: string; readonly step: string };
  readonly #page: string;
  readonly #listeners: Listeners;
  readonly #unsaved = new Map<Place, string>();
  /** What the next text of a place replaces; absent until the page has seen what is newer. */
  readonly #replaced = new Map<Place, string>();
  readonly #saves = new DelayedWork(SAVE_MS, () => void this.flush());

  constructor(
    server: Server,
    address: { readonly runId: string; readonly step: string },
    listeners: Listeners,
  ) {
    this.#server = server;
    this.#address = address;
    this.#page = `${address.runId}/${address.step}`;
    this.#listeners = listeners;
    open.add(this);
  }

  /** Note what a place has now; it is saved soon. */
  type({ place, text, replaces = this.#replaced.get(place) }: TypedText): void {
    if (replaces === undefined) {
      return; // the page is being told of a newer text, and sends both
    }
    if (untold.get(this.#page)?.get(place) === text) {
      this.#tellSaved(place, text); // a decision may have taken it since: it is no new draft
      return;
    }
    this.#replaced.set(place, replaces);
    this.#unsaved.set(place, text);
    this.#saves.schedule();
  }

  /** The page has sent all that it was not told of: equal texts are new from here on. */
  sentAgain(): void {
    untold.delete(this.#page);
  }

  /** Save what is not saved yet. What cannot be saved is kept for the next time. */
  flush(): Promise<void> {
    return this.#listeners.enqueue(() => this.#save());
  }

  dispose(): void {
    this.#saves.dispose();
    void this.flush().finally(() => open.delete(this));
  }

  async #save(): Promise<void> {
    for (const [place, text] of this.#unsaved) {
      let newer: string | null | undefined;
      try {
        ({ newer } = await this.#server.execute('writeit.step.draft', {
          ...this.#address,
          ...(place === 'merge' || place === 'feedback'
            ? { kind: place }
            : { kind: 'answer', response: place }),
          text,
          replaces: this.#replaced.get(place) ?? null,
        }));
      } catch (error) {
        this.#listeners.failed(error);
        return;
      }
      this.#saved(place, text, newer);
    }
  }

  #saved(place: Place, text: string, newer: string | null | undefined): void {
    if (newer != null) {
      this.#replaced.delete(place);
      this.#unsaved.delete(place);
      this.#listeners.changed(place, newer);
      return;
    }
    this.#replaced.set(place, text);
    if (this.#unsaved.get(place) === text) {
      this.#unsaved.delete(place);
    }
    this.#tellSaved(place, text);
  }

  #tellSaved(place: Place, text: string): void {
    if (!this.#listeners.saved(place, text)) {
      untold.set(this.#page, (untold.get(this.#page) ?? new Map<Place, string>()).set(place, text));
    }
  }
}
