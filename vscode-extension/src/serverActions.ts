import * as vscode from 'vscode';
import type { Range } from './protocol';
import type { Server } from './server/server';

/** A code action of the server: a command that is possible for a document or a view. */
export interface ServerAction {
  readonly title: string;
  readonly command: string;
  readonly argument: Readonly<Record<string, unknown>>;
  /** What it is about: equal for actions on the same marked words of a document. */
  readonly about: string;
}

interface CodeAction {
  readonly title: string;
  readonly command?: { readonly command: string; readonly arguments?: readonly unknown[] };
  readonly diagnostics?: readonly unknown[] | null;
}

/** All actions for a document and a range in it. */
export async function listActions(
  server: Server,
  uri: vscode.Uri,
  range: vscode.Range = new vscode.Range(0, 0, 0, 0),
): Promise<ServerAction[]> {
  const params = {
    textDocument: { uri: uri.toString() },
    range: toWireRange(range),
    context: { diagnostics: [] },
  };
  const actions = await server.request<CodeAction[] | null>('textDocument/codeAction', params);
  return (actions ?? []).flatMap(({ title, command, diagnostics = [] }) => {
    const about = JSON.stringify(diagnostics);
    return command ? [{ title, command: command.command, argument: firstOf(command), about }] : [];
  });
}

function firstOf({ arguments: [first] = [] }: NonNullable<CodeAction['command']>): Json {
  return (first ?? {}) as Json;
}

type Json = ServerAction['argument'];

/** A range as plain JSON. */
export function toWireRange({ start, end }: vscode.Range): Range {
  return {
    start: { line: start.line, character: start.character },
    end: { line: end.line, character: end.character },
  };
}

/** A range that the server tells. */
export function toRange({ start, end }: Range): vscode.Range {
  return new vscode.Range(start.line, start.character, end.line, end.character);
}

/** A code action's title without the prefix that tells it from those of other extensions. */
export function titleOf({ title }: ServerAction): string {
  return title.replace(/^WriteIt: /, '');
}

/** The run that a document's actions open; runs of polished passages are not opened by one. */
export function runIdIn(actions: readonly ServerAction[]): string | undefined {
  const open = actions.find(
    ({ command, argument }) => command === 'writeit.view.open' && argument['view'] === 'run',
  );
  const runId = open?.argument['runId'];
  return typeof runId === 'string' ? runId : undefined;
}
