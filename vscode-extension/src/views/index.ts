import * as vscode from 'vscode';
import type { App } from '../app';
import { DelayedWork } from '../delayedWork';
import { showDocument } from '../pages/showDocument';
import { loadPipelines, loadPrimers } from './library';
import { loadModels } from './models';
import { loadRuns } from './runs';
import { TreeProvider } from './treeProvider';

const REFRESH_MS = 500;

const LOADERS = {
  'writeit.pipelines': loadPipelines,
  'writeit.primers': loadPrimers,
  'writeit.models': loadModels,
} as const;

/** Register the trees of the side bar, and keep them up to date. */
export function registerViews(app: App): vscode.Disposable {
  const runs = new TreeProvider(app, loadRuns);
  const views = Object.entries(LOADERS).map(([id, load]) => {
    const provider = new TreeProvider(app, load);
    return { provider, view: vscode.window.createTreeView(id, { treeDataProvider: provider }) };
  });
  const others = views.map(({ provider }) => provider);
  const refresh = (providers: readonly TreeProvider[]): void => {
    for (const provider of providers) {
      void provider.refresh();
    }
  };
  const refreshAll = (): void => {
    refresh([runs, ...others]);
  };
  return vscode.Disposable.from(
    runs,
    ...views.flatMap(({ provider, view }) => [provider, view]),
    vscode.window.createTreeView('writeit.runs', { treeDataProvider: runs, showCollapseAll: true }),
    refreshChangedRuns(app, runs),
    refreshOnLibraryChanges(() => {
      refresh(others);
    }),
    app.server.onDidChangeState(refreshAll),
    vscode.commands.registerCommand('writeit.ui.views.refresh', refreshAll),
    vscode.commands.registerCommand('writeit.ui.show', (uri: vscode.Uri) => showDocument(uri)),
    vscode.commands.registerCommand('writeit.ui.call', (call: () => void) => {
      call();
    }),
  );
}

function refreshChangedRuns(app: App, runs: TreeProvider): vscode.Disposable {
  const changed = new Set<string>();
  const refreshes = new DelayedWork(REFRESH_MS, () => {
    void runs.refresh(new Set(changed));
    changed.clear();
  });
  const subscription = app.runStates.onDidChange((runIds = new Set()) => {
    for (const runId of runIds) {
      changed.add(runId);
    }
    refreshes.schedule();
  });
  return vscode.Disposable.from(refreshes, subscription);
}

/** Files changed, or the models of VS Code. */
function refreshOnLibraryChanges(refresh: () => void): vscode.Disposable {
  const files = vscode.workspace.createFileSystemWatcher('**/{pipelines,primers}/*.{yaml,yml}');
  const refreshes = new DelayedWork(REFRESH_MS, refresh);
  const schedule = (): void => {
    refreshes.schedule();
  };
  return vscode.Disposable.from(
    refreshes,
    files,
    files.onDidChange(schedule),
    files.onDidCreate(schedule),
    files.onDidDelete(schedule),
    vscode.lm.onDidChangeChatModels(schedule),
  );
}
