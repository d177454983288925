import { access, constants } from 'node:fs/promises';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import * as vscode from 'vscode';
import type { ServerSource } from './findServer';
import { installedServerPath } from './install';
import { activePython } from './python';

const EXECUTABLE = process.platform === 'win32' ? 'writeit.exe' : 'writeit';

/** Setting, active Python environment, PATH, the private installation: in this order. */
export function serverSources(context: vscode.ExtensionContext): ServerSource[] {
  const path = configuredPath();
  if (path !== '') {
    return [fromSetting(path)];
  }
  return [fromPython(), fromPath(), fromInstallation(context)];
}

/** The server that the settings name; empty if they name none. */
export function configuredPath(): string {
  return vscode.workspace.getConfiguration('writeit').get<string>('server.path', '').trim();
}

function fromSetting(path: string): ServerSource {
  const name = 'setting writeit.server.path';
  const look = async (): ReturnType<ServerSource['locate']> => {
    if (!isAbsolute(path)) {
      return { why: `${path} is not an absolute path` };
    }
    return (await isExecutable(path)) ? { path } : { why: `${path} cannot be run` };
  };
  return { name, locate: look, isFinal: true };
}

function fromPython(): ServerSource {
  const look = async (): ReturnType<ServerSource['locate']> => {
    const python = await activePython();
    if (python === undefined) {
      return { why: 'no Python extension, or no environment is active in it' };
    }
    const path = join(dirname(python), EXECUTABLE);
    return (await isExecutable(path)) ? { path } : { why: `no writeit beside ${python}` };
  };
  return { name: 'the active Python environment', locate: look };
}

function fromPath(): ServerSource {
  const look = async (): ReturnType<ServerSource['locate']> => {
    const folders = (process.env['PATH'] ?? '').split(delimiter).filter(isAbsolute);
    for (const folder of folders) {
      const path = join(folder, EXECUTABLE);
      if (await isExecutable(path)) {
        return { path };
      }
    }
    return { why: 'no writeit in any of its folders' };
  };
  return { name: 'PATH', locate: look };
}

function fromInstallation(context: vscode.ExtensionContext): ServerSource {
  const look = async (): ReturnType<ServerSource['locate']> => {
    const path = installedServerPath(context);
    return (await isExecutable(path)) ? { path } : { why: 'nothing is installed there yet' };
  };
  return { name: "the extension's own environment", locate: look };
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false; // the caller says where it looked
  }
}
