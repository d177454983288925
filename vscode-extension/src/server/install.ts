import { execFile } from 'node:child_process';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as vscode from 'vscode';
import { l10n } from 'vscode';
import { log } from '../log';

const run = promisify(execFile);
const WINDOWS = process.platform === 'win32';
// eslint-disable-next-line no-restricted-syntax -- a folder's name, which no user reads
const SCRIPTS = 'Scripts';
const INSTALL = l10n.t('Install');
const SETTINGS = l10n.t('Open Settings');
const LOG = l10n.t('Show Log');
const QUESTION = l10n.t('Install it into a private Python environment?');
const BY_HAND = l10n.t('Install it yourself and set writeit.server.path.');

function environmentFolder(context: vscode.ExtensionContext): string {
  return join(context.globalStorageUri.fsPath, 'server');
}

function environmentFile(context: vscode.ExtensionContext, name: string): string {
  const file = WINDOWS ? `${name}.exe` : name;
  return join(environmentFolder(context), WINDOWS ? SCRIPTS : 'bin', file);
}

/** The path of the privately installed server, whether it exists or not. */
export function installedServerPath(context: vscode.ExtensionContext): string {
  return environmentFile(context, 'writeit');
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
  if (answer === SETTINGS || answer === LOG) {
    const command = answer === LOG ? 'writeit.ui.server.log' : 'writeit.ui.server.settings';
    await vscode.commands.executeCommand(command);
  }
  return what !== undefined && answer === INSTALL && install(context, what);
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
  const files = await readdir(folder).catch(() => []); // the extension was packaged without it
  const wheel = files.find((name) => name.endsWith('.whl'));
  return wheel === undefined ? undefined : `${join(folder, wheel)}[local]`;
}

async function install(context: vscode.ExtensionContext, what: string): Promise<boolean> {
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
    try {
      for (const step of installSteps(context, what)) {
        progress.report({ message: step.title });
        log.info(`Installing: ${step.command} ${step.args.join(' ')}`);
        await run(step.command, step.args, { signal: stop.signal });
      }
      return true;
    } catch (error) {
      await reportFailure(context, error, token.isCancellationRequested);
      return false;
    }
  });
}

function installSteps(
  context: vscode.ExtensionContext,
  what: string,
): { title: string; command: string; args: string[] }[] {
  const python = WINDOWS ? 'python' : 'python3';
  return [
    {
      title: l10n.t('environment'),
      command: python,
      args: ['-m', 'venv', environmentFolder(context)],
    },
    {
      title: what,
      command: environmentFile(context, 'python'),
      args: ['-m', 'pip', 'install', '--disable-pip-version-check', '--upgrade', what],
    },
  ];
}

async function reportFailure(
  context: vscode.ExtensionContext,
  error: unknown,
  stopped: boolean,
): Promise<void> {
  await rm(environmentFolder(context), { recursive: true, force: true });
  log.error('The installation failed', error);
  if (!stopped) {
    void vscode.window.showErrorMessage(
      l10n.t(
        'The WriteIt server could not be installed: {0} No files were left. Show the log for details, or install it yourself and set writeit.server.path.',
        failureReason(error),
      ),
    );
  }
}

/** The last error line of pip or Python, else the message of the system error. */
function failureReason(error: unknown): string {
  const output = (error as { readonly stderr?: string }).stderr ?? '';
  const line = output
    .split('\n')
    .findLast((text) => text.startsWith('ERROR: ') || text.includes('Error: '));
  const message =
    line?.replace(/^ERROR: /, '') ?? (error instanceof Error ? error.message : String(error));
  return `${message.trim().replace(/\.$/, '')}.`;
}
