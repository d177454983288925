import type { Place } from '../messages';
import { element, fill, labels } from './dom';
import { joinNewer, keepTyped, markSaved, typedIn } from './unsaved';

/** A text area whose words are kept as they are typed. */
export class Field {
  readonly area: HTMLTextAreaElement;
  readonly status = element('span', { class: 'status' });
  readonly #place: Place;
  /** What the server has, as the page was last told. */
  #saved = '';

  constructor(place: Place, label: string, rows: number) {
    this.#place = place;
    this.area = element('textarea', {
      'aria-label': label,
      rows: String(rows),
      spellcheck: 'true',
      dir: 'auto',
    });
    this.area.value = typedIn(place)?.text ?? '';
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

  /** Show a text, unless the user has typed one that is not saved; `saved` is what is. */
  show(text: string, saved = ''): void {
    if (typedIn(this.#place) !== undefined) {
      return;
    }
    this.#saved = saved;
    if (this.area.value !== text) {
      this.area.value = text;
      this.status.textContent = '';
    }
  }

  markSaved(text: string): void {
    this.#saved = text;
    if (this.text === text) {
      this.status.textContent = text === '' ? '' : labels.saved;
    }
  }

  /** Show the user's words below those of another window; the cursor stays in them. */
  showJoined(text: string): void {
    const fromEnd = this.text.length - this.area.selectionEnd;
    this.area.value = text;
    this.area.setSelectionRange(text.length - fromEnd, text.length - fromEnd);
    this.status.textContent = labels.joined;
  }

  markUnsaved(message: string): void {
    if (typedIn(this.#place) !== undefined) {
      this.status.textContent = fill(labels.unsaved, message);
    }
  }

  #keep(): void {
    keepTyped(this.#place, this.text, this.#saved);
    this.status.textContent = '';
  }
}

const fields = new Map<Place, Field>();

export function savedField(place: Place, text: string): void {
  markSaved(place, text);
  fields.get(place)?.markSaved(text);
}

/** Another window has saved a text that the words here do not replace. */
export function changedField(place: Place, newer: string): void {
  const text = joinNewer(place, newer);
  if (text !== undefined) {
    fields.get(place)?.showJoined(text);
  }
}

export function unsavedFields(message: string): void {
  for (const field of fields.values()) {
    field.markUnsaved(message);
  }
}
