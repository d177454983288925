import { access, constants } from 'node:fs/promises';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import * as vscode from 'vscode';
import { l10n } from 'vscode';
import { installedServerPath } from './install';
import { activePython } from './python';

export interface ServerCommand {
  readonly command: string;
  readonly args: readonly string[];
}

export interface FoundServer extends ServerCommand {
  /** Where it was found, for the log and for messages. */
  readonly reason: string;
}

export interface SearchResult {
  readonly server?: FoundServer;
  /** Sources that have no server, each with the reason. */
  readonly rejected: readonly string[];
}

/** A place where the server may be. */
export interface ServerSource {
  readonly name: string;
  /** Returns the executable's path, or why there is none. */
  locate(): Promise<{ path: string } | { problem: string }>;
  /** Whether later sources are not tried if this one has no server. */
  readonly isFinal?: boolean;
}

/** Try the sources in order, until one has a server. */
export async function findServer(sources: readonly ServerSource[]): Promise<SearchResult> {
  const rejected: string[] = [];
  for (const source of sources) {
    const result = await source.locate();
    if ('path' in result) {
      return {
        server: { command: result.path, args: ['serve'], reason: source.name },
        rejected,
      };
    }
    rejected.push(`${source.name}: ${result.problem}`);
    if (source.isFinal) {
      break;
    }
  }
  return { rejected };
}

const EXECUTABLE = process.platform === 'win32' ? 'writeit.exe' : 'writeit';

/** The setting alone if it is set; else the Python environment, PATH, the private installation. */
export function serverSources(context: vscode.ExtensionContext): ServerSource[] {
  const path = configuredPath();
  if (path !== '') {
    return [fromSetting(path)];
  }
  return [fromPython(), fromPath(), fromInstallation(context)];
}

/** The setting `writeit.server.path`; empty if it is not set. */
export function configuredPath(): string {
  return vscode.workspace.getConfiguration('writeit').get<string>('server.path', '').trim();
}

function fromSetting(path: string): ServerSource {
  const name = l10n.t('setting writeit.server.path');
  const locate = async (): ReturnType<ServerSource['locate']> => {
    if (!isAbsolute(path)) {
      return { problem: l10n.t('{0} is not an absolute path', path) };
    }
    return (await isExecutable(path)) ? { path } : { problem: l10n.t('{0} cannot be run', path) };
  };
  return { name, locate, isFinal: true };
}

function fromPython(): ServerSource {
  const locate = async (): ReturnType<ServerSource['locate']> => {
    const python = await activePython();
    if (python === undefined) {
      return { problem: l10n.t('no Python extension, or no active environment') };
    }
    const path = join(dirname(python), EXECUTABLE);
    return (await isExecutable(path))
      ? { path }
      : { problem: l10n.t('no writeit next to {0}', python) };
  };
  return { name: l10n.t('the active Python environment'), locate };
}

function fromPath(): ServerSource {
  const locate = async (): ReturnType<ServerSource['locate']> => {
    const folders = (process.env['PATH'] ?? '').split(delimiter).filter(isAbsolute);
    for (const folder of folders) {
      const path = join(folder, EXECUTABLE);
      if (await isExecutable(path)) {
        return { path };
      }
    }
    return { problem: l10n.t('writeit is in none of its folders') };
  };
  return { name: 'PATH', locate };
}

function fromInstallation(context: vscode.ExtensionContext): ServerSource {
  const locate = async (): ReturnType<ServerSource['locate']> => {
    const path = installedServerPath(context);
    return (await isExecutable(path)) ? { path } : { problem: l10n.t('nothing is installed yet') };
  };
  return { name: l10n.t("the extension's own environment"), locate };
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false; // callers report the path
  }
}
