import { access, constants } from 'node:fs/promises';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import * as vscode from 'vscode';
import type { Source } from './find';
import { installedServer } from './install';
import { activePython } from './python';

const NAME = process.platform === 'win32' ? 'writeit.exe' : 'writeit';

/** Setting, active Python environment, PATH, the private installation: in this order. */
export function sources(context: vscode.ExtensionContext): Source[] {
  const path = namedPath();
  if (path !== '') {
    return [fromSetting(path)];
  }
  return [fromPython(), fromPath(), fromInstallation(context)];
}

/** The server that the settings name; empty if they name none. */
export function namedPath(): string {
  return vscode.workspace.getConfiguration('writeit').get<string>('server.path', '').trim();
}

function fromSetting(path: string): Source {
  const name = 'setting writeit.server.path';
  const look = async (): ReturnType<Source['look']> => {
    if (!isAbsolute(path)) {
      return { why: `${path} is not an absolute path` };
    }
    return (await isExecutable(path)) ? { path } : { why: `${path} cannot be run` };
  };
  return { name, look, decisive: true };
}

function fromPython(): Source {
  const look = async (): ReturnType<Source['look']> => {
    const python = await activePython();
    if (python === undefined) {
      return { why: 'no Python extension, or no environment is active in it' };
    }
    const path = join(dirname(python), NAME);
    return (await isExecutable(path)) ? { path } : { why: `no writeit beside ${python}` };
  };
  return { name: 'the active Python environment', look };
}

function fromPath(): Source {
  const look = async (): ReturnType<Source['look']> => {
    const folders = (process.env['PATH'] ?? '').split(delimiter).filter(isAbsolute);
    for (const folder of folders) {
      const path = join(folder, NAME);
      if (await isExecutable(path)) {
        return { path };
      }
    }
    return { why: 'no writeit in any of its folders' };
  };
  return { name: 'PATH', look };
}

function fromInstallation(context: vscode.ExtensionContext): Source {
  const look = async (): ReturnType<Source['look']> => {
    const path = installedServer(context);
    return (await isExecutable(path)) ? { path } : { why: 'nothing is installed there yet' };
  };
  return { name: "the extension's own environment", look };
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false; // the caller says where it looked
  }
}
