import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import * as vscode from 'vscode';
import { l10n } from 'vscode';
import { log } from '../log';

/** The part of the Python extension's API that is used here. */
interface PythonApi {
  readonly environments?: {
    getActiveEnvironmentPath(resource?: vscode.Uri): { readonly path: string };
    resolveEnvironment(path: {
      readonly path: string;
    }): Promise<{ readonly executable: { readonly uri?: vscode.Uri } } | undefined>;
    readonly onDidChangeActiveEnvironmentPath: vscode.Event<unknown>;
  };
}

async function pythonEnvironments(): Promise<PythonApi['environments']> {
  const extension = vscode.extensions.getExtension<PythonApi>('ms-python.python');
  if (extension === undefined) {
    return undefined;
  }
  try {
    return (await extension.activate()).environments;
  } catch (error) {
    log.warn('Cannot start the Python extension', error);
    return undefined;
  }
}

/** The interpreter of the environment that is active in the first workspace folder. */
export async function activePython(): Promise<string | undefined> {
  const environments = await pythonEnvironments();
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  const active = environments?.getActiveEnvironmentPath(folder);
  if (environments === undefined || active === undefined) {
    return undefined;
  }
  return (await environments.resolveEnvironment(active))?.executable.uri?.fsPath;
}

/** Call `changed` when another environment becomes active. */
export async function onPythonChanged(
  context: vscode.ExtensionContext,
  changed: () => void,
): Promise<void> {
  const environments = await pythonEnvironments();
  if (environments !== undefined) {
    context.subscriptions.push(environments.onDidChangeActiveEnvironmentPath(changed));
  }
}

/** The oldest Python that the server runs on. */
const OLDEST = [3, 11] as const;
const NEWEST_MINOR = 14;
const PROBE_MS = 15_000;
const PROBE = 'import sys; print(*sys.version_info[:3], sep="."); print(sys.executable)';

export interface Interpreter {
  readonly path: string;
  /** As in `3.12.4`. */
  readonly version: string;
}

export interface InterpreterSearch {
  readonly found?: Interpreter;
  /** Interpreters that are too old or do not run, with their own words. */
  readonly unusable: readonly string[];
}

/** The first interpreter that is new enough, of those by name, `py` and the Python extension. */
export async function findInterpreter(): Promise<InterpreterSearch> {
  const unusable: string[] = [];
  for (const command of await interpreterCommands()) {
    const result = await probe(command);
    if (typeof result === 'string') {
      unusable.push(result);
    } else if (result !== undefined) {
      return { found: result, unusable };
    }
  }
  return { unusable };
}

async function interpreterCommands(): Promise<string[][]> {
  const minors = Array.from({ length: NEWEST_MINOR - OLDEST[1] + 1 }, (_, i) => NEWEST_MINOR - i);
  const names = [...minors.map((minor) => `python3.${minor}`), 'python3', 'python'];
  const active = await activePython();
  return [
    ...(process.platform === 'win32' ? [['py', '-3']] : []),
    ...names.map((name) => [name]),
    ...(active === undefined ? [] : [[active]]),
  ];
}

/** The interpreter of a command; why it cannot be used; undefined if there is none. */
async function probe([command = '', ...args]: string[]): Promise<Interpreter | string | undefined> {
  const name = [command, ...args].join(' ');
  try {
    const { stdout } = await promisify(execFile)(command, [...args, '-c', PROBE], {
      timeout: PROBE_MS,
    });
    const [version = '', path = ''] = stdout.trim().split(/\r?\n/);
    return isOld(version) ? l10n.t('{0} is version {1}', name, version) : { path, version };
  } catch (error) {
    const { code, stderr = '' } = error as { readonly code?: unknown; readonly stderr?: string };
    return code === 'ENOENT' ? undefined : `${name}: ${stderr.trim() || String(error)}`;
  }
}

function isOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]);
}
