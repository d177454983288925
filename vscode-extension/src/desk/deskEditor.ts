import * as vscode from 'vscode';
import type { App } from '../app';
import { DelayedWork } from '../delayedWork';
import { describeError } from '../errors';
import { DESK_VIEW, showAsPage, showAsText } from '../pages/showDocument';
import { SCHEME } from '../pages/uris';
import { reportErrors } from '../showError';
import { perform } from './deskActs';
import { deskHtml } from './deskHtml';
import { DraftSaver } from './draftSaver';
import { MISSING } from './labels';
import type { ToExtension, ToPage } from './messages';
import { deskPage } from './pageModel';
import { readRemarks } from './remarks';

const REFRESH_MS = 125;

/** The pages of steps, runs and comparisons, to read and to choose on. Nothing is saved. */
export function registerDesk(app: App): vscode.Disposable {
  const provider: vscode.CustomReadonlyEditorProvider = {
    openCustomDocument: (uri) => ({ uri, dispose: () => undefined }),
    resolveCustomEditor: ({ uri }, panel) => {
      const editor = new DeskEditor(app, uri, panel);
      panel.onDidDispose(() => {
        editor.dispose();
      });
    },
  };
  return vscode.Disposable.from(
    vscode.window.registerCustomEditorProvider(DESK_VIEW, provider, {
      supportsMultipleEditorsPerDocument: true,
    }),
    vscode.commands.registerCommand('writeit.ui.view.markdown', (uri?: vscode.Uri) =>
      showAsText(uri),
    ),
    vscode.commands.registerCommand('writeit.ui.view.page', (uri?: vscode.Uri) => showAsPage(uri)),
  );
}

class DeskEditor implements vscode.Disposable {
  readonly #app: App;
  readonly #uri: vscode.Uri;
  readonly #panel: vscode.WebviewPanel;
  readonly #address: { readonly runId: string; readonly step: string };
  readonly #drafts: DraftSaver;
  readonly #refreshes = new DelayedWork(REFRESH_MS, () => void this.#refresh());
  readonly #subscriptions: vscode.Disposable;
  /** The document of the review that is shown. */
  #reviewed: string | null | undefined;
  #hasImages = false;
  #isDisposed = false;
  #isRefreshQueued = false;
  #queue: Promise<void> = Promise.resolve();

  constructor(app: App, uri: vscode.Uri, panel: vscode.WebviewPanel) {
    this.#app = app;
    this.#uri = uri;
    this.#panel = panel;
    const [, , runId = '', step = ''] = uri.path.replace(/\.md$/, '').split('/');
    this.#address = { runId, step };
    this.#drafts = new DraftSaver(app.server, this.#address, {
      enqueue: (work) => this.#enqueue(work),
      saved: (place, text) => this.#post({ kind: 'saved', place, text }),
      changed: (place, text) => {
        this.#post({ kind: 'changed', place, text });
      },
      failed: (error) => {
        this.#post({ kind: 'unsaved', message: describeError(error) });
      },
    });
    panel.webview.options = {
      enableScripts: true,
      localResourceRoots: ['dist', 'media'].map((folder) =>
        vscode.Uri.joinPath(app.context.extensionUri, folder),
      ),
    };
    this.#subscriptions = this.#subscribe();
    this.#setHtml();
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#subscriptions.dispose();
    this.#refreshes.dispose();
    this.#drafts.dispose();
  }

  #subscribe(): vscode.Disposable {
    const { server } = this.#app;
    return vscode.Disposable.from(
      this.#panel.webview.onDidReceiveMessage((message: ToExtension) => {
        this.#receive(message);
      }),
      this.#panel.onDidChangeViewState(() => {
        void this.#drafts.flush();
        this.#refreshes.schedule();
      }),
      server.onDidChange(({ runIds, views }) => {
        if (views.includes(this.#uri.toString()) || this.#names(runIds)) {
          this.#refreshes.schedule();
        }
      }),
      vscode.languages.onDidChangeDiagnostics(({ uris }) => {
        // The places of remarks change with the document, and so does what is applied.
        if (uris.some((uri) => uri.toString() === this.#reviewed)) {
          this.#refreshes.schedule();
        }
      }),
      server.onDidChangeState(() => {
        void this.#drafts.flush();
        this.#refreshes.schedule(); // the page says why nothing can be done
      }),
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration('markdown.preview', this.#uri)) {
          this.#setHtml();
        }
      }),
    );
  }

  #names(runIds: readonly string[]): boolean {
    return runIds.some((runId) => this.#uri.path.includes(runId));
  }

  #setHtml(): void {
    this.#panel.webview.html = deskHtml(this.#panel.webview, {
      extensionUri: this.#app.context.extensionUri,
      resource: this.#uri,
      hasImages: this.#hasImages,
    });
  }

  #receive(message: ToExtension): void {
    switch (message.kind) {
      case 'ready':
        this.#drafts.sentAgain();
        void this.#refresh();
        break;
      case 'draft':
        this.#drafts.type(message);
        break;
      case 'act':
        void this.#perform(message.act);
        break;
      case 'open':
        void this.#open(vscode.Uri.parse(message.uri));
        break;
      case 'images':
        this.#hasImages = true;
        this.#setHtml();
        break;
    }
  }

  async #perform(act: Extract<ToExtension, { kind: 'act' }>['act']): Promise<void> {
    const target = { ...this.#address };
    // The decision takes the drafts, so they are saved before it.
    await this.#drafts.flush();
    await reportErrors(() => perform(this.#app, target, act), target);
    this.#post({ kind: 'idle' });
    this.#refreshes.schedule();
  }

  async #open(uri: vscode.Uri): Promise<void> {
    if (uri.scheme === SCHEME) {
      await vscode.commands.executeCommand('writeit.ui.show', uri);
    }
  }

  /** Read the page again and send it, after what is being saved. */
  #refresh(): Promise<void> {
    if (this.#isRefreshQueued) {
      return this.#queue; // reading takes longer than what changes meanwhile
    }
    this.#isRefreshQueued = true;
    return this.#enqueue(async () => {
      this.#isRefreshQueued = false;
      if (!this.#isDisposed && this.#panel.visible) {
        this.#post({ kind: 'page', page: await this.#read() });
      }
    });
  }

  #enqueue(work: () => Promise<void>): Promise<void> {
    this.#queue = this.#queue.then(work);
    return this.#queue;
  }

  async #read(): Promise<Extract<ToPage, { kind: 'page' }>['page']> {
    try {
      const { server } = this.#app;
      const read = await server.execute('writeit.view.read', { uri: this.#uri.toString() });
      const reviewed = read.run?.review && read.run.uri;
      this.#reviewed = reviewed && vscode.Uri.parse(reviewed).toString();
      const remarks = await readRemarks(server, read.run ?? {});
      const page = deskPage(read, this.#uri.path);
      return page.kind === 'step' ? { ...page, remarks } : page;
    } catch (error) {
      return { kind: 'problem', title: MISSING, intro: describeError(error) };
    }
  }

  /** Tell the page, unless it is closed or hidden: it asks again when it is shown. */
  #post(message: ToPage): boolean {
    const isShown = !this.#isDisposed && this.#panel.visible;
    if (isShown) {
      void this.#panel.webview.postMessage(message);
    }
    return isShown;
  }
}
