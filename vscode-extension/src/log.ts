import * as vscode from 'vscode';

/** The output channel that `WriteIt: Show Log` opens. */
export const log = vscode.window.createOutputChannel('WriteIt', { log: true });
