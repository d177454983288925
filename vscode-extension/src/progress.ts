import { randomUUID } from 'node:crypto';
import * as vscode from 'vscode';
import { isCancelled } from './errors';
import { log } from './log';
import { markModelAvailable } from './models';
import type { CommandName, Commands, StreamEvent } from './protocol';
import type { Server } from './server/server';
import { showDocument } from './pages/showDocument';
import { StreamCounter } from './streamEvents';
import { viewUri } from './pages/uris';

/** The progress message changes at most this often. */
const REPORT_MS = 200;

interface WorkDoneProgress {
  readonly kind: 'begin' | 'report' | 'end';
  readonly message?: string;
  readonly percentage?: number;
}

type Report = vscode.Progress<{ message?: string; increment?: number }>;

/** Ask models: progress with Cancel, and the step's page beside the article as it grows. */
export async function generateWithProgress<C extends CommandName>(
  server: Server,
  command: C,
  params: Commands[C]['params'],
  title: string,
  isShown = true,
): Promise<Commands[C]['result'] | undefined> {
  return withNotification(title, async (report, cancel) => {
    const streamToken = randomUUID();
    let shown: Promise<unknown> = Promise.resolve();
    const started = (runId: string, step: string): void => {
      if (isShown) {
        shown = showDocument(viewUri('step', runId, step), { focus: false });
      }
    };
    const listening = await server.onProgress(streamToken, streamListener(report, started));
    // With a token of ours the server makes none of its own, which would be shown twice.
    const extras = { cancel, workDoneToken: randomUUID() };
    try {
      const result = await server.execute(command, { ...params, wait: true, streamToken }, extras);
      await shown;
      return result;
    } finally {
      listening.dispose();
    }
  });
}

function streamListener(
  report: Report,
  started: (runId: string, step: string) => void,
): (event: StreamEvent) => void {
  const tally = new StreamCounter();
  let last = 0;
  return (event) => {
    tally.add(event);
    if (event.kind === 'started') {
      started(event.runId, event.step);
    } else if (event.kind === 'finished' && event.status === 'complete') {
      markModelAvailable();
    } else if (event.kind === 'notice') {
      log.warn(`${event.title}: ${event.message}`);
    }
    if (event.kind !== 'delta' || Date.now() - last >= REPORT_MS) {
      last = Date.now();
      report.report({ message: tally.summary });
    }
  };
}

/** Something long that asks no models: the server's own progress, with Cancel. */
export async function runWithProgress<C extends CommandName>(
  server: Server,
  command: C,
  params: Commands[C]['params'],
  title: string,
): Promise<Commands[C]['result'] | undefined> {
  return withNotification(title, async (report, cancel) => {
    const workDoneToken = randomUUID();
    let done = 0;
    const listening = await server.onProgress(
      workDoneToken,
      ({ message, percentage }: WorkDoneProgress) => {
        const increment = percentage === undefined ? undefined : percentage - done;
        done = percentage ?? done;
        report.report({
          ...(message === undefined ? {} : { message }),
          ...(increment === undefined ? {} : { increment }),
        });
      },
    );
    try {
      return await server.execute(command, { ...params, wait: true }, { cancel, workDoneToken });
    } finally {
      listening.dispose();
    }
  });
}

/** Something usually quick: a word in the status bar while it lasts. */
export function runWithStatus<R>(title: string, work: () => Promise<R>): Thenable<R> {
  const location = vscode.ProgressLocation.Window;
  return vscode.window.withProgress({ location, title: `WriteIt: ${title}` }, work);
}

async function withNotification<R>(
  title: string,
  work: (report: Report, cancel: vscode.CancellationToken) => Promise<R>,
): Promise<R | undefined> {
  const location = vscode.ProgressLocation.Notification;
  const options = { location, title: `WriteIt: ${title}`, cancellable: true };
  return vscode.window.withProgress(options, async (report, cancel) => {
    try {
      return await work(report, cancel);
    } catch (error) {
      if (!isCancelled(error)) {
        throw error;
      }
      vscode.window.setStatusBarMessage('WriteIt: stopped; what came is kept.', 5000);
      return undefined;
    }
  });
}
