import * as vscode from 'vscode';
import { runServerCommand } from './commandFlows';
import { AnswerDocuments } from './pages/answerDocuments';
import type { App, Exports } from './app';
import { registerCommands } from './commands';
import { ConflictTracker } from './apply/conflicts';
import { installServer } from './commands/server';
import { ViewDocuments } from './pages/viewDocuments';
import { Drafts } from './pages/drafts';
import { registerLenses } from './codeLenses';
import { showConflicts } from './apply/applyOutcome';
import { log } from './log';
import { PendingApplies } from './apply/pendingApplies';
import { ProposedDocuments } from './apply/proposedDocument';
import { PageCache } from './pages/pageCache';
import { EditorContextTracker } from './editorContext';
import { onPythonChanged } from './server/python';
import { Server } from './server/server';
import { configuredPath } from './server/sources';
import { showDocument } from './pages/showDocument';
import { createStatusBarItem } from './statusBar';
import { parseProposedPage } from './pages/uris';
import { registerViews } from './views';
import { withPrefix } from './wording';

export function activate(context: vscode.ExtensionContext): Exports {
  const began = performance.now();
  const server: Server = new Server(context, {
    execute: (command, argument) => runServerCommand(app, command, argument),
    show: (uri, focus, selection) => showForServer(app, uri, focus, selection),
  });
  const scenes = new EditorContextTracker(server);
  const readings = new PageCache();
  const pending = new PendingApplies(server);
  const contests = new ConflictTracker(server);
  const drafts = new Drafts();
  const app: App = {
    context,
    server,
    editorContext: scenes,
    pendingApplies: pending,
    conflicts: contests,
    drafts,
    pageCache: readings,
  };
  context.subscriptions.push(
    log,
    server,
    scenes,
    pending,
    contests,
    drafts,
    new ViewDocuments(server, readings),
    new AnswerDocuments(server),
    new ProposedDocuments(server),
    registerCommands(app),
    registerViews(app),
    registerLenses(app),
    createStatusBarItem(app),
  );
  restartOnChanges(app);
  void start(app);
  const activation = performance.now() - began;
  log.info(`Activated in ${activation.toFixed(1)} ms, without the server`);
  return { ...app, activationMs: activation };
}

/** What the server wants shown. Of a conflict, which nobody asked for, a diff and more. */
async function showForServer(
  app: App,
  uri: vscode.Uri,
  focus: boolean,
  selection?: vscode.Range,
): Promise<boolean> {
  const about = parseProposedPage(uri);
  if (about !== undefined && (await showConflicts(app, about))) {
    return true;
  }
  return (await showDocument(uri, { focus, selection })) !== undefined;
}

export async function deactivate(): Promise<void> {
  await runningServer?.stop();
}

let runningServer: Server | undefined;

async function start(app: App): Promise<void> {
  runningServer = app.server;
  await app.server.restart();
  if (configuredPath() === '') {
    void onPythonChanged(app.context, () => void app.server.restart());
  }
  if (app.server.state === 'missing') {
    await installServer(app);
  } else if (app.server.state === 'failed') {
    void vscode.window.showErrorMessage(withPrefix(app.server.reason));
  }
}

/** Settings that the server reads when it starts. */
const USER_SETTINGS = ['writeit.storeLocation', 'writeit.models.ollamaUrl'];

/** Start anew when what the server is found by, or reads when it starts, changes. */
function restartOnChanges(app: App): void {
  const anew = (): void => {
    void app.server.restart();
  };
  app.context.subscriptions.push(
    vscode.workspace.onDidGrantWorkspaceTrust(() => void start(app)),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration('writeit.server.path')) {
        if (app.server.isPathChanged) {
          anew();
        }
      } else if (USER_SETTINGS.some((name) => event.affectsConfiguration(name))) {
        anew();
      } else if (event.affectsConfiguration('writeit')) {
        void app.server.settingsChanged();
      }
    }),
  );
}
