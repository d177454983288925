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

const NO_RUN = {
  hasRun: false,
  canAsk: false,
  canSkip: false,
  canResume: false,
  isBranch: false,
  streaming: false,
  hasText: false,
  hasAnswers: false,
  canChoose: false,
  canContinue: false,
  canRewind: false,
  comparable: false,
};

function runContextKeys(
  run: PipelineRun | undefined,
): Record<keyof typeof NO_RUN, string | boolean> {
  if (run === undefined) {
    return NO_RUN;
  }
  const steps = Object.values(run.steps);
  const current = run.steps[run.currentStep];
  return {
    hasRun: true,
    canAsk: current?.can.run === true,
    canSkip: current?.can.skip === true,
    canResume: run.can.resume,
    isBranch: run.parentPipelineRunId !== null,
    streaming: run.isStreaming,
    hasText: steps.some(({ can }) => can.apply),
    hasAnswers: steps.some(hasAnswers),
    canChoose: steps.some(canChoose),
    canContinue: steps.some(canContinue),
    canRewind: steps.some(isDone),
    comparable: steps.some(hasSeveralAnswers),
  };
}
