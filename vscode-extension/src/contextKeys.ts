import * as vscode from 'vscode';
import type { EditorContext } from './editorContext';
import { canChoose, canContinue, hasAnswers, hasSeveralAnswers, isDone } from './eligibility';
import type { ViewAddress } from './pages/uris';
import type { PipelineRun } from './protocol';

type ContextKeys = Readonly<Record<string, string | number | boolean>>;

/** What `when` clauses know about the editor, by their keys after `writeit.`. */
export function contextKeys({ run, step, actions = [] }: EditorContext): ContextKeys {
  const isOffered = (name: string): boolean => actions.some(({ command }) => command === name);
  return {
    ...runContextKeys(run),
    canRestore: isOffered('writeit.edit.restore'),
    passages: step?.passages.length ?? 0,
  };
}

export function setContextKeys(context: EditorContext): void {
  for (const [key, value] of Object.entries(contextKeys(context))) {
    void vscode.commands.executeCommand('setContext', `writeit.${key}`, value);
  }
}

/** Set the kind of page at once: keys that are pressed meanwhile depend on it. */
export function setViewKey(view: ViewAddress | undefined): void {
  void vscode.commands.executeCommand('setContext', 'writeit.view', view?.view ?? '');
}

function runContextKeys(run: PipelineRun | undefined): ContextKeys {
  const steps = Object.values(run?.steps ?? {});
  const current = run?.steps[run.currentStep];
  return {
    hasRun: run !== undefined,
    canAsk: current?.can.run === true,
    canSkip: current?.can.skip === true,
    canResume: run?.can.resume === true,
    isBranch: run !== undefined && run.parentPipelineRunId !== null,
    streaming: run?.isStreaming === true,
    hasText: steps.some(({ can }) => can.apply),
    hasAnswers: steps.some(hasAnswers),
    canChoose: steps.some(canChoose),
    canContinue: steps.some(canContinue),
    canRewind: steps.some(isDone),
    comparable: steps.some(hasSeveralAnswers),
  };
}
