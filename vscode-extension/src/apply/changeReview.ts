import * as vscode from 'vscode';
import { l10n } from 'vscode';
import { DelayedWork } from '../delayedWork';
import { isWriteItDocument } from '../editorContext';
import { SCHEME } from '../pages/uris';
import type { DocumentChange, DocumentChangesResult } from '../protocol';
import { valueOr, type Server } from '../server/server';

/** Documents without the changes that are under review; the query is the document's URI. */
const BEFORE_SCHEME = 'writeit-before';
const REFRESH_MS = 250;

/** A source control and its list of documents. */
interface Shown {
  readonly control: vscode.SourceControl;
  readonly group: vscode.SourceControlResourceGroup;
}

/**
 * What applies changed in documents and the user has neither kept nor undone, shown as quick diff.
 * The source control exists only while there are such changes: it lists their documents.
 */
export class ChangeReview
  implements vscode.Disposable, vscode.QuickDiffProvider, vscode.TextDocumentContentProvider
{
  readonly #server: Server;
  readonly #byUri = new Map<string, DocumentChangesResult>();
  readonly #didChangeBefore = new vscode.EventEmitter<vscode.Uri>();
  readonly #refreshes = new DelayedWork(REFRESH_MS, (uri) => void this.refresh(uri));
  readonly #subscriptions: vscode.Disposable;
  #sourceControl: Shown | undefined;

  readonly onDidChange = this.#didChangeBefore.event;

  constructor(server: Server) {
    this.#server = server;
    const scheduleVisible = (): void => {
      for (const { document } of vscode.window.visibleTextEditors) {
        if (isWriteItDocument(document) && document.uri.scheme !== SCHEME) {
          this.#refreshes.schedule(document.uri.toString());
        }
      }
      this.#setContextKey();
    };
    this.#subscriptions = vscode.Disposable.from(
      this.#refreshes,
      vscode.workspace.registerTextDocumentContentProvider(BEFORE_SCHEME, this),
      server.onDidChange(scheduleVisible),
      server.onDidChangeState(scheduleVisible),
      vscode.window.onDidChangeVisibleTextEditors(scheduleVisible),
      vscode.window.onDidChangeActiveTextEditor(() => {
        this.#setContextKey();
      }),
      vscode.workspace.onDidChangeTextDocument(({ document }) => {
        const uri = document.uri.toString();
        if (this.#byUri.has(uri)) {
          this.#refreshes.schedule(uri);
        }
      }),
      vscode.workspace.onDidCloseTextDocument(({ uri }) => {
        this.#set(uri.toString(), undefined);
      }),
    );
  }

  changesOf(uri: vscode.Uri): readonly DocumentChange[] {
    return this.#byUri.get(uri.toString())?.changes ?? [];
  }

  /** Ask the server what is under review in a document. */
  async refresh(uri: string): Promise<readonly DocumentChange[]> {
    if (this.#server.state !== 'running') {
      this.#set(uri, undefined);
      return [];
    }
    const reading = this.#server.execute('writeit.document.changes', { uri });
    const found = await valueOr(undefined, reading);
    if (found !== undefined) {
      this.#set(uri, found.before === null ? undefined : found);
    }
    return found?.changes ?? [];
  }

  provideOriginalResource(uri: vscode.Uri): vscode.Uri | undefined {
    return this.changesOf(uri).length > 0 ? beforeUri(uri.toString()) : undefined;
  }

  provideTextDocumentContent({ query }: vscode.Uri): string {
    return this.#byUri.get(query)?.before ?? '';
  }

  dispose(): void {
    this.#sourceControl?.control.dispose();
    this.#subscriptions.dispose();
    this.#didChangeBefore.dispose();
  }

  #set(uri: string, found: DocumentChangesResult | undefined): void {
    const known = this.#byUri.get(uri);
    if (found === undefined) {
      this.#byUri.delete(uri);
    } else {
      this.#byUri.set(uri, found);
    }
    if (JSON.stringify(known) !== JSON.stringify(found)) {
      this.#didChangeBefore.fire(beforeUri(uri));
      this.#setContextKey();
      this.#showSourceControl();
    }
  }

  #setContextKey(): void {
    const uri = vscode.window.activeTextEditor?.document.uri;
    const count = uri === undefined ? 0 : this.changesOf(uri).length;
    void vscode.commands.executeCommand('setContext', 'writeit.changes', count);
  }

  #showSourceControl(): void {
    const changed = [...this.#byUri].filter(([, { changes }]) => changes.length > 0);
    if (changed.length === 0) {
      this.#sourceControl?.control.dispose();
      this.#sourceControl = undefined;
      return;
    }
    this.#sourceControl ??= this.#createSourceControl();
    this.#sourceControl.group.resourceStates = changed.map(([uri]) => {
      const resourceUri = vscode.Uri.parse(uri);
      const open = { title: l10n.t('Open'), command: 'vscode.open', arguments: [resourceUri] };
      return { resourceUri, command: open };
    });
  }

  #createSourceControl(): Shown {
    const control = vscode.scm.createSourceControl('writeit', 'WriteIt');
    control.inputBox.visible = false;
    control.quickDiffProvider = this;
    return { control, group: control.createResourceGroup('changes', l10n.t('Changes to review')) };
  }
}

function beforeUri(query: string): vscode.Uri {
  return vscode.Uri.from({ scheme: BEFORE_SCHEME, path: vscode.Uri.parse(query).path, query });
}
