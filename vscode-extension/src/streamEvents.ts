import type { StreamEvent } from './protocol';

/** Counts what came, for a line of progress in words. */
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

  get summary(): string {
    const parts = [
      `${this.#finished} of ${this.#total} ${this.#total === 1 ? 'answer' : 'answers'} ended`,
      `${this.#characters} characters`,
    ];
    if (this.#failed > 0) {
      parts.push(`${this.#failed} did not come`);
    }
    if (this.#notice !== '') {
      parts.push(this.#notice);
    }
    return parts.join(', ');
  }
}
