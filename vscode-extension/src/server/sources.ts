import { access, constants } from 'node:fs/promises';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import * as vscode from 'vscode';
import type { ServerSource } from './findServer';
import { installedServerPath } from './install';
import { activePython } from './python';

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
  const name = 'setting writeit.server.path';
  const locate = async (): ReturnType<ServerSource['locate']> => {
    if (!isAbsolute(path)) {
      return { problem: `${path} is not an absolute path` };
    }
    return (await isExecutable(path)) ? { path } : { problem: `${path} cannot be run` };
  };
  return { name, locate, isFinal: true };
}

function fromPython(): ServerSource {
  const locate = async (): ReturnType<ServerSource['locate']> => {
    const python = await activePython();
    if (python === undefined) {
      return { problem: 'no Python extension, or no active environment' };
    }
    const path = join(dirname(python), EXECUTABLE);
    return (await isExecutable(path)) ? { path } : { problem: `no writeit next to ${python}` };
  };
  return { name: 'the active Python environment', locate };
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
    return { problem: 'writeit is in none of its folders' };
  };
  return { name: 'PATH', locate };
}

function fromInstallation(context: vscode.ExtensionContext): ServerSource {
  const locate = async (): ReturnType<ServerSource['locate']> => {
    const path = installedServerPath(context);
    return (await isExecutable(path)) ? { path } : { problem: 'nothing is installed yet' };
  };
  return { name: "the extension's own environment", locate };
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false; // callers report the path
  }
}
