import { execFile } from 'node:child_process';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as vscode from 'vscode';
import { l10n } from 'vscode';
import { log } from '../log';
import { childProblem, InstallProblem, noInterpreter, outputOf } from './installProblem';
import { findInterpreter, type Interpreter } from './python';

const WINDOWS = process.platform === 'win32';
// eslint-disable-next-line no-restricted-syntax -- a folder's name, which no user reads
const SCRIPTS = WINDOWS ? 'Scripts' : 'bin';
const INSTALL = l10n.t('Install');
const AGAIN = l10n.t('Try Again');
const COPY = l10n.t('Copy Command');
const SETTINGS = l10n.t('Open Settings');
const LOG = l10n.t('Show Log');
const QUESTION = l10n.t('Install it into a private Python environment?');
const BY_HAND = l10n.t('Install it yourself and set writeit.server.path.');

function environmentFolder(context: vscode.ExtensionContext): string {
  return join(context.globalStorageUri.fsPath, 'server');
}

function environmentFile(folder: string, name: string): string {
  return join(folder, SCRIPTS, WINDOWS ? `${name}.exe` : name);
}

/** The path of the privately installed server, whether it exists or not. */
export function installedServerPath(context: vscode.ExtensionContext): string {
  return environmentFile(environmentFolder(context), 'writeit');
}

/**
 * Install the server into a private environment, after the user agrees. Returns whether it was
 * installed; never in an untrusted workspace.
 */
export async function offerInstall(
  context: vscode.ExtensionContext,
  reason: string,
): Promise<boolean> {
  if (!vscode.workspace.isTrusted) {
    return false;
  }
  const what = await packageToInstall(context);
  const answer =
    what === undefined
      ? await vscode.window.showWarningMessage(`${reason} ${BY_HAND}`, SETTINGS, LOG)
      : await vscode.window.showWarningMessage(`${reason} ${QUESTION}`, INSTALL, SETTINGS, LOG);
  if (what !== undefined && answer === INSTALL) {
    return installUntilDone(context, what);
  }
  await openFor(answer);
  return false;
}

async function openFor(answer: string | undefined): Promise<void> {
  if (answer === SETTINGS || answer === LOG) {
    const command = answer === LOG ? 'writeit.ui.server.log' : 'writeit.ui.server.settings';
    await vscode.commands.executeCommand(command);
  }
}

/**
 * What pip installs: the setting `writeit.server.package`, else the wheel in this extension.
 * Never a bare name from an index, which anybody could have registered.
 */
async function packageToInstall(context: vscode.ExtensionContext): Promise<string | undefined> {
  const setting = vscode.workspace.getConfiguration('writeit').get<string>('server.package', '');
  if (setting !== '') {
    return setting;
  }
  const folder = context.asAbsolutePath('server');
  const files = await readdir(folder).catch(() => []); // a bundle that was not packaged
  const wheel = files.find((name) => name.endsWith('.whl'));
  return wheel === undefined ? undefined : `${join(folder, wheel)}[local]`;
}

/** Install, and again as long as the user wants to try. Returns whether it was installed. */
async function installUntilDone(context: vscode.ExtensionContext, what: string): Promise<boolean> {
  for (;;) {
    const problem = await installWithProgress(context, what);
    if (problem === undefined || problem === 'stopped') {
      return problem === undefined;
    }
    const message = l10n.t('The WriteIt server was not installed. {0}', problem.message);
    const buttons = [...(problem.command === undefined ? [] : [COPY]), AGAIN, LOG];
    const answer = await vscode.window.showErrorMessage(message, ...buttons);
    if (answer === COPY) {
      await vscode.env.clipboard.writeText(problem.command ?? '');
      return false;
    }
    if (answer !== AGAIN) {
      await openFor(answer);
      return false;
    }
  }
}

function installWithProgress(
  context: vscode.ExtensionContext,
  what: string,
): Thenable<InstallProblem | 'stopped' | undefined> {
  const options = {
    location: vscode.ProgressLocation.Notification,
    title: l10n.t('WriteIt: Installing the server'),
    cancellable: true,
  };
  return vscode.window.withProgress(options, async (progress, token) => {
    const stop = new AbortController();
    token.onCancellationRequested(() => {
      stop.abort();
    });
    const folder = environmentFolder(context);
    try {
      await install(folder, what, stop.signal, (message) => {
        progress.report({ message });
      });
      return undefined;
    } catch (error) {
      await rm(folder, { recursive: true, force: true }).catch(() => undefined);
      if (token.isCancellationRequested) {
        return 'stopped';
      }
      log.error('The installation failed', error);
      if (error instanceof InstallProblem) {
        return error;
      }
      throw error;
    }
  });
}

/** Create an environment in a folder and install into it. Throws an `InstallProblem`. */
export async function install(
  folder: string,
  what: string,
  signal: AbortSignal,
  report: (message: string) => void,
): Promise<void> {
  report(l10n.t('looking for Python'));
  const search = await findInterpreter();
  if (search.found === undefined) {
    throw await noInterpreter(search);
  }
  const python = search.found;
  log.info(`Installing with Python ${python.version}: ${python.path}`);
  report(l10n.t('Python {0}: creating a private environment', python.version));
  const environment = ['-m', 'venv', '--clear', folder];
  await run(python.path, environment, python, signal);
  report(l10n.t('downloading what it needs'));
  const pip = ['-m', 'pip', 'install', '--disable-pip-version-check', '--upgrade', what];
  await run(environmentFile(folder, 'python'), pip, python, signal);
}

async function run(
  command: string,
  args: readonly string[],
  python: Interpreter,
  signal: AbortSignal,
): Promise<void> {
  log.info(`${command} ${args.join(' ')}`);
  try {
    await promisify(execFile)(command, args, { signal, maxBuffer: MAX_OUTPUT });
  } catch (error) {
    log.error(outputOf(error));
    throw await childProblem(error, python);
  }
}

const MAX_OUTPUT = 16_000_000;
