/** What the server says to a `streamToken` while answers come. */
export type StreamEvent =
  | {
      readonly kind: 'started';
      readonly runId: string;
      readonly step: string;
      readonly responses: readonly { readonly responseId: string; readonly model: string }[];
    }
  | {
      readonly kind: 'delta';
      readonly responseId: string;
      readonly seq: number;
      readonly text: string;
    }
  | {
      readonly kind: 'notice';
      readonly responseId: string | null;
      readonly code: string;
      readonly title: string;
      readonly message: string;
      readonly retryAfter: number | null;
    }
  | {
      readonly kind: 'finished';
      readonly responseId: string;
      readonly index: number | null;
      readonly status: 'complete' | 'partial' | 'failed';
    };

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
