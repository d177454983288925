import type { Place } from '../messages';
import { element, fill, getState, labels, post, setState } from './dom';

/** A text area whose words are kept as they are typed. */
export class Field {
  readonly area: HTMLTextAreaElement;
  readonly status = element('span', { class: 'status' });
  readonly #place: Place;

  constructor(place: Place, label: string, rows: number) {
    this.#place = place;
    this.area = element('textarea', {
      'aria-label': label,
      rows: String(rows),
      spellcheck: 'true',
    });
    const typed = getState().typed[place];
    if (typed !== undefined) {
      this.area.value = typed; // the window was closed before the extension could save it
      post({ kind: 'draft', place, text: typed });
    }
    this.area.addEventListener('input', () => {
      this.#keep();
    });
    fields.set(place, this);
  }

  get text(): string {
    return this.area.value;
  }

  /** Type for the user, as when a passage joins what is written already. */
  append(text: string): void {
    this.area.value = [this.text.trimEnd(), text].filter(Boolean).join('\n\n');
    this.#keep();
  }

  /** Show what is saved, unless the user has typed something that is not. */
  show(text: string): void {
    if (getState().typed[this.#place] === undefined && this.area.value !== text) {
      this.area.value = text;
      this.status.textContent = '';
    }
  }

  markSaved(text: string): void {
    if (this.text === text) {
      const typed = Object.entries(getState().typed).filter(([place]) => place !== this.#place);
      setState({ typed: Object.fromEntries(typed) });
      this.status.textContent = text === '' ? '' : labels.saved;
    }
  }

  markUnsaved(message: string): void {
    if (getState().typed[this.#place] !== undefined) {
      this.status.textContent = fill(labels.unsaved, message);
    }
  }

  #keep(): void {
    const { text } = this;
    setState({ typed: { ...getState().typed, [this.#place]: text } });
    this.status.textContent = '';
    post({ kind: 'draft', place: this.#place, text });
  }
}

const fields = new Map<Place, Field>();

export function savedField(place: Place, text: string): void {
  fields.get(place)?.markSaved(text);
}

export function unsavedFields(message: string): void {
  for (const field of fields.values()) {
    field.markUnsaved(message);
  }
}
