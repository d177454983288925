import * as vscode from 'vscode';

/** Settings that the server reads with `workspace/configuration`. */
const SERVER_KEYS = [
  'models.default',
  'models.steps',
  'models.timeout',
  'reasoning',
  'blind',
  'maxCostUsd.run',
  'maxCostUsd.day',
  'maxCostUsd.unknown',
  'maxConcurrentPipelines',
  'streamingBufferSize',
  'stylePrimer',
  'exportFormat',
  'codeLens.enabled',
  'facts.enabled',
  'primerLint.enabled',
  'output',
] as const;

/** The limit of a day in US dollars, if there is one. */
export function dayLimit(scope: vscode.Uri): number | undefined {
  const value = lowest(
    vscode.workspace.getConfiguration('writeit', scope).inspect('maxCostUsd.day'),
  );
  return typeof value === 'number' ? value : undefined;
}

type JsonObject = Record<string, unknown>;

/**
 * The settings that the user has set, as the server reads them. Defaults are left out: the server
 * would prefer them to the preferences.
 */
export function serverSettings(scope: vscode.Uri | undefined): JsonObject {
  const section = vscode.workspace.getConfiguration('writeit', scope);
  const settings: JsonObject = {};
  for (const key of SERVER_KEYS) {
    const inspected = section.inspect(key);
    const value = key.startsWith('maxCostUsd.') ? lowest(inspected) : userValue(inspected);
    if (!isUnset(value)) {
      setPath(settings, key.split('.'), key === 'reasoning' ? numberIn(value) : value);
    }
  }
  return settings;
}

/**
 * Settings of the user that the server reads when it starts. Their scope is `machine`: VS Code
 * ignores them in a workspace.
 */
export function userOptions(): JsonObject {
  const section = vscode.workspace.getConfiguration('writeit');
  const options = {
    storeLocation: section.get<string | null>('storeLocation'),
    ollamaUrl: section.get<string | null>('models.ollamaUrl'),
  };
  return Object.fromEntries(Object.entries(options).filter(([, value]) => Boolean(value)));
}

/** Whether a value stands for none: `null` was the one of earlier versions. */
function isUnset(value: unknown): boolean {
  return value == null || value === '' || value === 'default' || isEmptyArray(value);
}

function isEmptyArray(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

/** A number that a setting of type string has; other values as they are. */
function numberIn(value: unknown): unknown {
  return typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
}

type Inspected = ReturnType<vscode.WorkspaceConfiguration['inspect']>;

function userValue(inspected: Inspected): unknown {
  return inspected?.workspaceFolderValue ?? inspected?.workspaceValue ?? inspected?.globalValue;
}

/** The lowest limit: a workspace cannot raise the user's. What is no number is passed on. */
function lowest(inspected: Inspected): unknown {
  const values = [
    inspected?.workspaceFolderValue,
    inspected?.workspaceValue,
    inspected?.globalValue,
  ].filter((value) => value != null);
  const other = values.find((value) => typeof value !== 'number');
  return other ?? (values.length > 0 ? Math.min(...(values as number[])) : undefined);
}

function setPath(target: JsonObject, path: readonly string[], value: unknown): void {
  const [first = '', ...rest] = path;
  if (rest.length === 0) {
    target[first] = value;
    return;
  }
  const inner = (target[first] ?? {}) as JsonObject;
  target[first] = inner;
  setPath(inner, rest, value);
}

/** Whether to save a document after WriteIt changed it: the setting, else the preference. */
export function isAutoSaveOn(
  uri: vscode.Uri,
  preference: () => Promise<boolean>,
): Promise<boolean> {
  const setting = userValue(vscode.workspace.getConfiguration('writeit', uri).inspect('autoSave'));
  return typeof setting === 'boolean' ? Promise.resolve(setting) : preference();
}
