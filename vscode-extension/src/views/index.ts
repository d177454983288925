import * as vscode from 'vscode';
import type { App } from '../app';
import { show } from '../show';
import { pipelineLines, primerLines } from './library';
import { modelLines } from './models';
import { runLines } from './runs';
import { Tree, type Lines } from './tree';

/** The tree of runs is drawn anew at most this often. */
const PAUSE_MS = 500;

export function registerTrees(app: App): vscode.Disposable {
  const runs = new Tree(app, runLines);
  const others = [
    tree(app, 'writeit.pipelines', pipelineLines),
    tree(app, 'writeit.primers', primerLines),
    tree(app, 'writeit.models', modelLines),
  ];
  const changed = new Set<string>();
  const follow = paced(() => {
    void runs.refresh(new Set(changed));
    changed.clear();
  });
  const files = vscode.workspace.createFileSystemWatcher('**/{pipelines,primers}/*.{yaml,yml}');
  const listAnew = paced(() => {
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
    vscode.commands.registerCommand('writeit.ui.show', (uri: vscode.Uri) => show(uri)),
    vscode.commands.registerCommand('writeit.ui.call', (call: () => void) => {
      call();
    }),
  );
}

function tree(
  app: App,
  id: string,
  lines: Lines,
): { provider: Tree; view: vscode.TreeView<unknown> } {
  const provider = new Tree(app, lines);
  return { provider, view: vscode.window.createTreeView(id, { treeDataProvider: provider }) };
}

/** Do it after a pause, once for all that was asked meanwhile. */
function paced(work: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  return () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      work();
    }, PAUSE_MS);
  };
}
