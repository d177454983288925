import { setTimeout } from 'node:timers/promises';
import * as vscode from 'vscode';
import type { ProvideCodeLensesSignature } from 'vscode-languageclient/node';

const PROMPT_MS = 100;

/**
 * Answers with the last lenses while the server works, and has VS Code ask again when it has
 * others. Without that VS Code would wait before each request as long as the last answers took,
 * up to a minute, and show what can be done no more.
 */
export class PromptLenses {
  readonly #known = new Map<string, vscode.CodeLens[]>();
  readonly #asked = new Map<string, vscode.CancellationTokenSource>();
  readonly #refresh: (document: vscode.TextDocument) => void;

  constructor(refresh: (document: vscode.TextDocument) => void) {
    this.#refresh = refresh;
  }

  async provide(
    document: vscode.TextDocument,
    next: ProvideCodeLensesSignature,
  ): Promise<vscode.CodeLens[]> {
    const id = document.uri.toString();
    this.#asked.get(id)?.cancel();
    const asked = new vscode.CancellationTokenSource();
    this.#asked.set(id, asked);
    const shown = this.#known.get(id) ?? [];
    let isLate = false;
    const answer = async (): Promise<vscode.CodeLens[]> => {
      const found = await next(document, asked.token);
      if (found == null) {
        return shown; // cancelled, or the server has ended
      }
      const lenses = found.toSorted((one, other) => place(one) - place(other));
      this.#known.set(id, lenses);
      if (isLate && JSON.stringify(lenses) !== JSON.stringify(shown)) {
        this.#refresh(document);
      }
      return lenses;
    };
    const wait = async (): Promise<vscode.CodeLens[]> => {
      await setTimeout(PROMPT_MS);
      isLate = true;
      return shown;
    };
    return Promise.race([answer(), wait()]);
  }
}

/**
 * On the first line the likeliest act comes first and the state last: a narrow editor cuts off the
 * end of the line, and the status bar has the state, too.
 */
function place({ range, command }: vscode.CodeLens): number {
  const [params] = (command?.arguments ?? []) as [{ goOn?: boolean }?];
  const isState = command?.title.startsWith('WriteIt: ') === true;
  return range.start.line > 0 || params?.goOn === true ? 0 : isState ? 2 : 1;
}
