import * as vscode from 'vscode';

export const SCHEME = 'writeit';

/** What a `writeit:` document is about. */
export interface ViewAddress {
  readonly view: string;
  readonly runId: string;
  readonly step?: string;
  readonly responseId?: string;
}

/** Read a view's address; undefined where it is about no single run. */
export function parseViewUri(uri: vscode.Uri): ViewAddress | undefined {
  if (uri.scheme !== SCHEME || !uri.path.endsWith('.md')) {
    return undefined;
  }
  const [view, runId, step, responseId] = uri.path.replace(/^\//, '').slice(0, -3).split('/');
  if (view === undefined || runId === undefined || view === 'compare') {
    return undefined;
  }
  return {
    view,
    runId,
    ...(step === undefined ? {} : { step }),
    ...(responseId === undefined ? {} : { responseId }),
  };
}

/** The address of a view. */
export function viewUri(view: string, ...parts: readonly string[]): vscode.Uri {
  return vscode.Uri.from({ scheme: SCHEME, path: `/${[view, ...parts].join('/')}.md` });
}

/** A document beside what a step's text would make of it, as a page of the server. */
export function proposedPageUri(runId: string, step: string): vscode.Uri {
  return viewUri('compare', runId, step, 'document', runId, step, 'proposed');
}

/** Which step's text such a page is about; undefined for any other. */
export function parseProposedPage(uri: vscode.Uri): { runId: string; step: string } | undefined {
  const [, view, runId, step] = uri.path.split('/');
  if (view !== 'compare' || runId === undefined || step === undefined) {
    return undefined;
  }
  return uri.toString() === proposedPageUri(runId, step).toString() ? { runId, step } : undefined;
}
