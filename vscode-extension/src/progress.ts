import { randomUUID } from 'node:crypto';
import * as vscode from 'vscode';
import { l10n } from 'vscode';
import { isCancelled } from './errors';
import { log } from './log';
import { showInStatusBar } from './followUps';
import { setHasModel } from './models';
import { showDocument, usesDesk } from './pages/showDocument';
import { viewUri } from './pages/uris';
import type { CommandName, Commands, StreamEvent } from './protocol';
import type { Server } from './server/server';
import { plural } from './wording';

/** Milliseconds between two updates of the progress message. */
const REPORT_MS = 200;

interface WorkDoneProgress {
  readonly kind: 'begin' | 'report' | 'end';
  readonly message?: string;
  readonly percentage?: number;
}

type Progress = vscode.Progress<{ message?: string; increment?: number }>;

/**
 * Run a command that generates answers, with a progress message and Cancel. The page of the step
 * opens beside the document if `isShown`. Undefined if the user cancels.
 */
export async function generateWithProgress<C extends CommandName>(
  server: Server,
  command: C,
  params: Commands[C]['params'],
  title: string,
  isShown = true,
): Promise<Commands[C]['result'] | undefined> {
  // The page shows what it generates, and stops it: a notification would only cover it.
  return withCancel(title, isShown && usesDesk(), async (progress, cancel) => {
    const streamToken = randomUUID();
    let opened: Promise<unknown> = Promise.resolve();
    const onStart = (runId: string, step: string): void => {
      if (isShown) {
        opened = showDocument(viewUri('step', runId, step), { focus: false });
      }
    };
    const listening = await server.onProgress(streamToken, streamListener(progress, onStart));
    // Without a token the server would create progress of its own, shown beside this one.
    const options = { cancel, workDoneToken: randomUUID() };
    try {
      const request = { ...params, wait: true, streamToken };
      const result = await server.execute(command, request, options);
      await opened;
      return result;
    } finally {
      listening.dispose();
    }
  });
}

function streamListener(
  progress: Progress,
  onStart: (runId: string, step: string) => void,
): (event: StreamEvent) => void {
  const counter = new StreamCounter();
  let reportedAt = 0;
  return (event) => {
    counter.add(event);
    if (event.kind === 'started') {
      onStart(event.runId, event.step);
    } else if (event.kind === 'finished' && event.status === 'complete') {
      setHasModel(true);
    } else if (event.kind === 'notice') {
      log.warn(`${event.title}: ${event.message}`);
    }
    if (event.kind !== 'delta' || Date.now() - reportedAt >= REPORT_MS) {
      reportedAt = Date.now();
      progress.report({ message: counter.summary });
    }
  };
}

/** Counts answers and characters for the progress message. */
export class StreamCounter {
  #total = 0;
  #finished = 0;
  #failed = 0;
  #characters = 0;
  #notice = '';
  /** Whether a time would tell the model of a blind choice. */
  #isBlind = false;

  add(event: StreamEvent): void {
    switch (event.kind) {
      case 'started':
        this.#total += event.responses.length;
        this.#isBlind = event.responses.some(({ letter }) => letter !== null);
        break;
      case 'delta':
        if (event.thinking !== true) {
          this.#characters += event.text.length;
          this.#notice = '';
        }
        break;
      case 'thinking':
        this.#notice = this.#isBlind
          ? l10n.t('thinking')
          : thinkingText(event.seconds, event.tokens);
        break;
      case 'thought':
        this.#characters = 0;
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
      l10n.t('{0} of {1} finished', this.#finished, plural(this.#total, 'answer')),
      plural(this.#characters, 'character'),
    ];
    if (this.#failed > 0) {
      parts.push(l10n.t('{0} failed', this.#failed));
    }
    if (this.#notice !== '') {
      parts.push(this.#notice);
    }
    return parts.join(', ');
  }
}

/** As in `thinking: 12 s, about 340 tokens`. */
function thinkingText(seconds: number, tokens: number | null): string {
  const time = l10n.t('thinking: {0} s', seconds.toFixed(0));
  return tokens === null ? time : l10n.t('{0}, about {1}', time, plural(tokens, 'token'));
}

/** Run a long command with the server's own progress and Cancel. Undefined if cancelled. */
export async function runWithProgress<C extends CommandName>(
  server: Server,
  command: C,
  params: Commands[C]['params'],
  title: string,
): Promise<Commands[C]['result'] | undefined> {
  return withCancel(title, false, async (progress, cancel) => {
    const workDoneToken = randomUUID();
    let reported = 0;
    const report = ({ message, percentage }: WorkDoneProgress): void => {
      // Without an increment VS Code shows that the end is unknown.
      const increment = percentage === undefined ? {} : { increment: percentage - reported };
      reported = percentage ?? reported;
      progress.report({ ...increment, ...(message === undefined ? {} : { message }) });
    };
    const listening = await server.onProgress(workDoneToken, report);
    try {
      return await server.execute(command, { ...params, wait: true }, { cancel, workDoneToken });
    } finally {
      listening.dispose();
    }
  });
}

/** Show a title in the status bar while the work lasts. */
export function runWithStatus<R>(title: string, work: () => Promise<R>): Thenable<R> {
  const location = vscode.ProgressLocation.Window;
  return vscode.window.withProgress({ location, title: `WriteIt: ${title}` }, work);
}

async function withCancel<R>(
  title: string,
  isQuiet: boolean,
  work: (progress: Progress, cancel: vscode.CancellationToken) => Promise<R>,
): Promise<R | undefined> {
  const { Notification, Window } = vscode.ProgressLocation;
  const location = isQuiet ? Window : Notification;
  const options = { location, title: `WriteIt: ${title}`, cancellable: true };
  return vscode.window.withProgress(options, async (progress, cancel) => {
    try {
      return await work(progress, cancel);
    } catch (error) {
      if (!isCancelled(error)) {
        throw error;
      }
      showInStatusBar(l10n.t('Stopped. What was received is kept.'));
      return undefined;
    }
  });
}
