import * as vscode from 'vscode';

/** What the extension does and why; `WriteIt: Show Log` opens it. */
export const log = vscode.window.createOutputChannel('WriteIt', { log: true });
