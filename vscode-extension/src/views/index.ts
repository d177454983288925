import * as vscode from 'vscode';
import type { App } from '../app';
import { showDocument } from '../pages/showDocument';
import { loadPipelines, loadPrimers } from './library';
import { loadModels } from './models';
import { loadRuns } from './runs';
import { TreeProvider, type NodeLoader } from './treeProvider';

/** The tree of runs is drawn anew at most this often. */
const REFRESH_MS = 500;

export function registerViews(app: App): vscode.Disposable {
  const runs = new TreeProvider(app, loadRuns);
  const others = [
    createView(app, 'writeit.pipelines', loadPipelines),
    createView(app, 'writeit.primers', loadPrimers),
    createView(app, 'writeit.models', loadModels),
  ];
  const changed = new Set<string>();
  const follow = throttle(() => {
    void runs.refresh(new Set(changed));
    changed.clear();
  });
  const files = vscode.workspace.createFileSystemWatcher('**/{pipelines,primers}/*.{yaml,yml}');
  const listAnew = throttle(() => {
    for (const { provider } of others) {
      void provider.refresh();
    }
  });
  const all = (): void => {
    for (const provider of [runs, ...others.map((one) => one.provider)]) {
      void provider.refresh();
    }
  };
  return vscode.Disposable.from(
    runs,
    files,
    files.onDidChange(listAnew),
    files.onDidCreate(listAnew),
    files.onDidDelete(listAnew),
    vscode.window.createTreeView('writeit.runs', { treeDataProvider: runs, showCollapseAll: true }),
    ...others.flatMap(({ provider, view }) => [provider, view]),
    app.server.onDidChange(({ runIds }) => {
      for (const runId of runIds) {
        changed.add(runId);
      }
      follow();
    }),
    app.server.onDidChangeState(all),
    vscode.commands.registerCommand('writeit.ui.views.refresh', all),
    vscode.commands.registerCommand('writeit.ui.show', (uri: vscode.Uri) => showDocument(uri)),
    vscode.commands.registerCommand('writeit.ui.call', (call: () => void) => {
      call();
    }),
  );
}

function createView(
  app: App,
  id: string,
  lines: NodeLoader,
): { provider: TreeProvider; view: vscode.TreeView<unknown> } {
  const provider = new TreeProvider(app, lines);
  return { provider, view: vscode.window.createTreeView(id, { treeDataProvider: provider }) };
}

/** Do it after a pause, once for all that was asked meanwhile. */
function throttle(work: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  return () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      work();
    }, REFRESH_MS);
  };
}
