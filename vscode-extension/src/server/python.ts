import * as vscode from 'vscode';
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
