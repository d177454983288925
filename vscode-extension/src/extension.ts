import * as vscode from 'vscode';
import type { App, Exports } from './app';
import { showConflicts } from './apply/applyOutcome';
import { ChangeReview } from './apply/changeReview';
import { ConflictTracker } from './apply/conflicts';
import { PendingApplies } from './apply/pendingApplies';
import { registerProposedDocuments } from './apply/proposedDocuments';
import { registerLenses } from './codeLenses';
import { runServerCommand } from './commandFlows';
import { registerCommands } from './commands';
import { registerPeekCommands } from './commands/change';
import { installServer, reportStopped } from './commands/server';
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
import { RunStates } from './runStates';
import { onPythonChanged } from './server/python';
import { Server, type ServerState } from './server/server';
import { isUsedHere, isUsedIn } from './server/startConditions';
import { configuredPath } from './server/findServer';
import { createStatusBarItem } from './statusBar';
import { registerViews } from './views';

export function activate(context: vscode.ExtensionContext): Exports {
  const startedAt = performance.now();
  const server: Server = new Server(context, {
    execute: (command, argument) => runServerCommand(app, command, argument),
    show: (uri, focus, selection) => showForServer(app, uri, focus, selection),
  });
  // First: what changed is forgotten before the others read it.
  const runStates = new RunStates(server);
  const editorContext = new EditorContextTracker(server, runStates);
  const pageCache = new PageCache();
  const pendingApplies = new PendingApplies(server, runStates);
  const changeReview = new ChangeReview(server);
  const conflicts = new ConflictTracker(server);
  const drafts = new Drafts();
  const app: App = {
    context,
    server,
    editorContext,
    pendingApplies,
    changeReview,
    conflicts,
    drafts,
    pageCache,
    runStates,
    start: () => startIfIdle(app),
  };
  context.subscriptions.push(
    log,
    server,
    runStates,
    editorContext,
    pendingApplies,
    changeReview,
    conflicts,
    drafts,
    registerViewDocuments(server, pageCache),
    registerAnswerDocuments(runStates),
    registerProposedDocuments(server),
    registerCommands(app),
    registerPeekCommands(app),
    registerViews(app),
    registerLenses(app),
    registerDesk(app),
    createStatusBarItem(app),
  );
  restartOnChanges(app);
  startWhenUsed(app);
  void start(app, isUsedHere);
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

async function start(app: App, isWanted: () => Promise<boolean>): Promise<ServerState> {
  runningServer = app.server;
  await app.server.startIf(isWanted);
  const { state } = app.server;
  if (state === 'missing') {
    await installServer(app);
  }
  if (state !== 'idle' && configuredPath() === '') {
    void onPythonChanged(app.context, () => void app.server.restart());
  }
  return app.server.state;
}

async function startIfIdle(app: App): Promise<boolean> {
  // A command of a server that does not run says itself why.
  return (await app.server.settled()) !== 'idle' || (await start(app, isUsed)) === 'running';
}

const isUsed = (): Promise<boolean> => Promise.resolve(true);

/** Start the server when a document or a folder in which WriteIt was used is opened. */
function startWhenUsed(app: App): void {
  const startFor = (document: vscode.TextDocument): void => {
    if (app.server.state === 'idle' && isUsedIn(document)) {
      void start(app, isUsed);
    }
  };
  app.context.subscriptions.push(
    vscode.workspace.onDidOpenTextDocument(startFor),
    vscode.workspace.onDidChangeTextDocument(({ document }) => {
      startFor(document);
    }),
    vscode.workspace.onDidChangeWorkspaceFolders(() => {
      if (app.server.state === 'idle') {
        void start(app, isUsedHere);
      }
    }),
    app.server.onDidChangeState((state) => {
      if (state === 'failed') {
        reportStopped(app);
      }
    }),
  );
}

/** Settings that the server reads only when it starts. */
const START_SETTINGS = ['writeit.storeLocation', 'writeit.models.ollamaUrl'];

/** Restart the server when the workspace becomes trusted or such a setting changes. */
function restartOnChanges(app: App): void {
  app.context.subscriptions.push(
    vscode.workspace.onDidGrantWorkspaceTrust(() => void start(app, isUsedHere)),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (app.server.state === 'idle') {
        return; // they are read at the start
      }
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
