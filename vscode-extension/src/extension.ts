import * as vscode from 'vscode';
import { clicked } from './act';
import { Answers } from './answers';
import type { App, Exports } from './app';
import { registerCommands } from './commands';
import { Contests } from './contested';
import { installServer } from './commands/server';
import { Views } from './documents';
import { Drafts } from './drafts';
import { registerLenses } from './lenses';
import { contested } from './landed';
import { log } from './log';
import { Pending } from './pending';
import { Proposed } from './proposed';
import { Readings } from './readings';
import { Scenes } from './scene';
import { onPythonChanged } from './server/python';
import { Server } from './server/server';
import { namedPath } from './server/sources';
import { show } from './show';
import { statusItem } from './status';
import { contestIn } from './uris';
import { registerTrees } from './views';
import { ours } from './words';

export function activate(context: vscode.ExtensionContext): Exports {
  const began = performance.now();
  const server: Server = new Server(context, {
    execute: (command, argument) => clicked(app, command, argument),
    show: (uri, focus, selection) => shown(app, uri, focus, selection),
  });
  const scenes = new Scenes(server);
  const readings = new Readings();
  const pending = new Pending(server);
  const contests = new Contests(server);
  const drafts = new Drafts();
  const app: App = { context, server, scenes, pending, contests, drafts, readings };
  context.subscriptions.push(
    log,
    server,
    scenes,
    pending,
    contests,
    drafts,
    new Views(server, readings),
    new Answers(server),
    new Proposed(server),
    registerCommands(app),
    registerTrees(app),
    registerLenses(app),
    statusItem(app),
  );
  follow(app);
  void start(app);
  const activation = performance.now() - began;
  log.info(`Activated in ${activation.toFixed(1)} ms, without the server`);
  return { ...app, activation };
}

/** What the server wants shown. Of a conflict, which nobody asked for, a diff and more. */
async function shown(
  app: App,
  uri: vscode.Uri,
  focus: boolean,
  selection?: vscode.Range,
): Promise<boolean> {
  const about = contestIn(uri);
  if (about !== undefined && (await contested(app, about))) {
    return true;
  }
  return (await show(uri, { focus, selection })) !== undefined;
}

export async function deactivate(): Promise<void> {
  await running?.stop();
}

let running: Server | undefined;

async function start(app: App): Promise<void> {
  running = app.server;
  await app.server.restart();
  if (namedPath() === '') {
    void onPythonChanged(app.context, () => void app.server.restart());
  }
  if (app.server.state === 'missing') {
    await installServer(app);
  } else if (app.server.state === 'failed') {
    void vscode.window.showErrorMessage(ours(app.server.why));
  }
}

/** Start anew when what the server is found by changes. */
function follow(app: App): void {
  const anew = (): void => {
    void app.server.restart();
  };
  app.context.subscriptions.push(
    vscode.workspace.onDidGrantWorkspaceTrust(() => void start(app)),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration('writeit.server.path')) {
        if (app.server.isElsewhere) {
          anew();
        }
      } else if (event.affectsConfiguration('writeit')) {
        void app.server.settingsChanged();
      }
    }),
  );
}
