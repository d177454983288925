import * as vscode from 'vscode';

/** What the server pulls with `workspace/configuration`, under the same names. */
const SERVER_KEYS = [
  'models.default',
  'models.steps',
  'maxCostUsd.run',
  'maxCostUsd.day',
  'maxConcurrentPipelines',
  'streamingBufferSize',
  'stylePrimer',
  'exportFormat',
  'codeLens.enabled',
  'output',
] as const;

type JsonObject = Record<string, unknown>;

/**
 * The section as the server wants it: only what the writer set.
 * A default sent along would win over her preferences.
 */
export function serverSettings(scope: vscode.Uri | undefined): JsonObject {
  const section = vscode.workspace.getConfiguration('writeit', scope);
  const settings: JsonObject = {};
  for (const key of SERVER_KEYS) {
    const value = userValue(section.inspect(key));
    if (value !== undefined && value !== null) {
      setPath(settings, key.split('.'), value);
    }
  }
  return settings;
}

/**
 * What the server takes from the user's own settings only, when it starts. Their scope
 * is `machine`: VS Code itself ignores what a workspace says about them.
 */
export function userOptions(): JsonObject {
  const section = vscode.workspace.getConfiguration('writeit');
  const options = {
    storeLocation: section.get<string | null>('storeLocation'),
    ollamaUrl: section.get<string | null>('models.ollamaUrl'),
  };
  return Object.fromEntries(Object.entries(options).filter(([, value]) => Boolean(value)));
}

type Inspected = ReturnType<vscode.WorkspaceConfiguration['inspect']>;

function userValue(found: Inspected): unknown {
  return found?.workspaceFolderValue ?? found?.workspaceValue ?? found?.globalValue;
}

function setPath(into: JsonObject, path: readonly string[], value: unknown): void {
  const [first = '', ...rest] = path;
  if (rest.length === 0) {
    into[first] = value;
    return;
  }
  const inner = (into[first] ?? {}) as JsonObject;
  into[first] = inner;
  setPath(inner, rest, value);
}

/** Whether an article is saved after a text came into it: the setting, else the preference. */
export function isAutoSaveOn(
  uri: vscode.Uri,
  preference: () => Promise<boolean>,
): Promise<boolean> {
  const set = userValue(vscode.workspace.getConfiguration('writeit', uri).inspect('autoSave'));
  return typeof set === 'boolean' ? Promise.resolve(set) : preference();
}
