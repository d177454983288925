import * as vscode from 'vscode';
import type { App, Exports } from './app';
import { showConflicts } from './apply/applyOutcome';
import { ConflictTracker } from './apply/conflicts';
import { PendingApplies } from './apply/pendingApplies';
import { registerProposedDocuments } from './apply/proposedDocuments';
import { registerLenses } from './codeLenses';
import { runServerCommand } from './commandFlows';
import { registerCommands } from './commands';
import { installServer } from './commands/server';
import { registerDesk } from './desk/deskEditor';
import { saveAllDrafts } from './desk/draftSaver';
import { EditorContextTracker } from './editorContext';
import { log } from './log';
import { registerAnswerDocuments } from './pages/answerDocuments';
import { Drafts } from './pages/drafts';
import { PageCache } from './pages/pageCache';
import { showDocument } from './pages/showDocument';
import { parseProposedPage } from './pages/uris';
import { registerViewDocuments } from './pages/viewDocuments';
import { onPythonChanged } from './server/python';
import { Server } from './server/server';
import { configuredPath } from './server/findServer';
import { createStatusBarItem } from './statusBar';
import { registerViews } from './views';
import { withPrefix } from './wording';

export function activate(context: vscode.ExtensionContext): Exports {
  const startedAt = performance.now();
  const server: Server = new Server(context, {
    execute: (command, argument) => runServerCommand(app, command, argument),
    show: (uri, focus, selection) => showForServer(app, uri, focus, selection),
  });
  const editorContext = new EditorContextTracker(server);
  const pageCache = new PageCache();
  const pendingApplies = new PendingApplies(server);
  const conflicts = new ConflictTracker(server);
  const drafts = new Drafts();
  const app: App = { context, server, editorContext, pendingApplies, conflicts, drafts, pageCache };
  context.subscriptions.push(
    log,
    server,
    editorContext,
    pendingApplies,
    conflicts,
    drafts,
    registerViewDocuments(server, pageCache),
    registerAnswerDocuments(server),
    registerProposedDocuments(server),
    registerCommands(app),
    registerViews(app),
    registerLenses(app),
    registerDesk(app),
    createStatusBarItem(app),
  );
  restartOnChanges(app);
  void start(app);
  const activationMs = performance.now() - startedAt;
  log.info(`Activated in ${activationMs.toFixed(1)} ms, without the server`);
  return { ...app, activationMs };
}

/** Show what the server asks to show; conflicts open as a diff with lenses. */
async function showForServer(
  app: App,
  uri: vscode.Uri,
  focus: boolean,
  selection?: vscode.Range,
): Promise<boolean> {
  const applied = parseProposedPage(uri);
  if (applied !== undefined && (await showConflicts(app, applied))) {
    return true;
  }
  return showDocument(uri, { focus, selection });
}

export async function deactivate(): Promise<void> {
  await saveAllDrafts();
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

/** Settings that the server reads only when it starts. */
const START_SETTINGS = ['writeit.storeLocation', 'writeit.models.ollamaUrl'];

/** Restart the server when the workspace becomes trusted or such a setting changes. */
function restartOnChanges(app: App): void {
  app.context.subscriptions.push(
    vscode.workspace.onDidGrantWorkspaceTrust(() => void start(app)),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration('writeit.server.path')) {
        if (app.server.isPathChanged) {
          void app.server.restart();
        }
      } else if (START_SETTINGS.some((name) => event.affectsConfiguration(name))) {
        void app.server.restart();
      } else if (event.affectsConfiguration('writeit')) {
        void app.server.settingsChanged();
      }
    }),
  );
}
