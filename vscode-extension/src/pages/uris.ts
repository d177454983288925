import * as vscode from 'vscode';

export const SCHEME = 'writeit';

/** The view, run, step and answer that a `writeit:` URI names. */
export interface ViewAddress {
  readonly view: string;
  readonly runId: string;
  readonly step?: string;
  readonly responseId?: string;
}

/** Parse the URI of a view; undefined if it names no single run. */
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

export function viewUri(view: string, ...parts: readonly string[]): vscode.Uri {
  return vscode.Uri.from({ scheme: SCHEME, path: `/${[view, ...parts].join('/')}.md` });
}

/** The server's page that compares a document with what a step's text would make of it. */
export function proposedPageUri(runId: string, step: string): vscode.Uri {
  return viewUri('compare', runId, step, 'document', runId, step, 'proposed');
}

/** The run and step of such a page; undefined for any other. */
export function parseProposedPage(uri: vscode.Uri): { runId: string; step: string } | undefined {
  const [, view, runId, step] = uri.path.split('/');
  if (view !== 'compare' || runId === undefined || step === undefined) {
    return undefined;
  }
  return uri.toString() === proposedPageUri(runId, step).toString() ? { runId, step } : undefined;
}
