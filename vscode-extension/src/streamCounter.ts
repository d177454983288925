import type { StreamEvent } from './protocol';
import { plural } from './wording';

/** Counts answers and characters for the progress message. */
export class StreamCounter {
  #total = 0;
  #finished = 0;
  #failed = 0;
  #characters = 0;
  #notice = '';

  add(event: StreamEvent): void {
    switch (event.kind) {
      case 'started':
        this.#total += event.responses.length;
        break;
      case 'delta':
        this.#characters += event.text.length;
        this.#notice = '';
        break;
      case 'notice':
        this.#notice = event.title;
        break;
      case 'finished':
        this.#finished += 1;
        this.#failed += event.status === 'failed' ? 1 : 0;
        break;
      case 'ended':
        break;
    }
  }

  /** The counts, as in `1 of 2 answers finished, 340 characters`. */
  get summary(): string {
    const parts = [
      `${this.#finished} of ${plural(this.#total, 'answer')} finished`,
      plural(this.#characters, 'character'),
    ];
    if (this.#failed > 0) {
      parts.push(`${this.#failed} failed`);
    }
    if (this.#notice !== '') {
      parts.push(this.#notice);
    }
    return parts.join(', ');
  }
}
