import type * as vscode from 'vscode';

/** Runs `work` some time after it was scheduled, once for all that was scheduled meanwhile. */
export class DelayedWork implements vscode.Disposable {
  readonly #delayMs: number;
  readonly #work: (key: string) => void;
  readonly #timers = new Map<string, NodeJS.Timeout>();

  constructor(delayMs: number, work: (key: string) => void) {
    this.#delayMs = delayMs;
    this.#work = work;
  }

  /** Schedule the work for a key, unless it is scheduled already. */
  schedule(key = ''): void {
    if (this.#timers.has(key)) {
      return;
    }
    const run = (): void => {
      this.#timers.delete(key);
      this.#work(key);
    };
    this.#timers.set(key, setTimeout(run, this.#delayMs));
  }

  dispose(): void {
    for (const timer of this.#timers.values()) {
      clearTimeout(timer);
    }
    this.#timers.clear();
  }
}
