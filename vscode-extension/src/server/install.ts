import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as vscode from 'vscode';
import { log } from '../log';

const run = promisify(execFile);
const WINDOWS = process.platform === 'win32';
const INSTALL = 'Install';

function environment(context: vscode.ExtensionContext): string {
  return join(context.globalStorageUri.fsPath, 'server');
}

function inside(context: vscode.ExtensionContext, name: string): string {
  const file = WINDOWS ? `${name}.exe` : name;
  return join(environment(context), WINDOWS ? 'Scripts' : 'bin', file);
}

/** Where the private installation has its server, whether it is there or not. */
export function installedServer(context: vscode.ExtensionContext): string {
  return inside(context, 'writeit');
}

/**
 * Install the server into an environment of the extension's own, after a yes.
 * Returns whether it is there now. Never called in a workspace that is not trusted.
 */
export async function offerInstall(
  context: vscode.ExtensionContext,
  because: string,
): Promise<boolean> {
  if (!vscode.workspace.isTrusted) {
    return false;
  }
  const what = source();
  const question = `${because} Install it (${what}) into a private Python environment of this extension?`;
  const answer = await vscode.window.showWarningMessage(question, INSTALL, 'Show Log');
  if (answer === 'Show Log') {
    log.show();
  }
  return answer === INSTALL && install(context, what);
}

/** What pip is told to install; only the user's own settings can say so. */
function source(): string {
  return vscode.workspace
    .getConfiguration('writeit')
    .get<string>('server.package', 'writeit[local]');
}

async function install(context: vscode.ExtensionContext, what: string): Promise<boolean> {
  const options = {
    location: vscode.ProgressLocation.Notification,
    title: 'WriteIt: installing the server',
    cancellable: true,
  };
  return vscode.window.withProgress(options, async (progress, token) => {
    const stop = new AbortController();
    token.onCancellationRequested(() => {
      stop.abort();
    });
    try {
      for (const step of steps(context, what)) {
        progress.report({ message: step.title });
        log.info(`Installing: ${step.command} ${step.args.join(' ')}`);
        await run(step.command, step.args, { signal: stop.signal });
      }
      return true;
    } catch (error) {
      await failed(context, error, token.isCancellationRequested);
      return false;
    }
  });
}

function steps(
  context: vscode.ExtensionContext,
  what: string,
): { title: string; command: string; args: string[] }[] {
  const python = WINDOWS ? 'python' : 'python3';
  return [
    { title: 'environment', command: python, args: ['-m', 'venv', environment(context)] },
    {
      title: what,
      command: inside(context, 'python'),
      args: ['-m', 'pip', 'install', '--disable-pip-version-check', '--upgrade', what],
    },
  ];
}

async function failed(
  context: vscode.ExtensionContext,
  error: unknown,
  stopped: boolean,
): Promise<void> {
  await rm(environment(context), { recursive: true, force: true });
  log.error('The installation failed', error);
  if (!stopped) {
    const words = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    void vscode.window.showErrorMessage(
      `WriteIt could not be installed: ${words}. Nothing was left behind; the log has all of it. ` +
        'You can install it yourself (pip install writeit) and name it in writeit.server.path.',
    );
  }
}
