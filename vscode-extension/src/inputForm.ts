import * as vscode from 'vscode';
import type { InputSpec } from './protocol';

export type InputValues = Readonly<Record<string, string | number | boolean>>;

/** What the writer did with one question. */
type Reply = { readonly value: string } | 'back' | 'gone';

export interface InputForm {
  readonly title: string;
  readonly specs: readonly InputSpec[];
  /** What is filled in already: from the front matter. */
  readonly initial: Readonly<Record<string, string>>;
}

/** Ask for inputs one after the other, with a way back. Undefined if she gave it up. */
export async function askInputs({
  title,
  specs,
  initial: given,
}: InputForm): Promise<InputValues | undefined> {
  const replies = new Map<string, string>();
  let place = 0;
  while (place < specs.length) {
    const spec = specs[place];
    if (spec === undefined) {
      break;
    }
    const question = {
      spec,
      title: `${title} (${place + 1}/${specs.length})`,
      value: replies.get(spec.name) ?? given[spec.name] ?? String(spec.default ?? ''),
      canGoBack: place > 0,
    };
    const reply = await askInput(question);
    if (reply === 'gone') {
      return undefined;
    }
    if (reply === 'back') {
      place -= 1;
    } else {
      replies.set(spec.name, reply.value);
      place += 1;
    }
  }
  return inputValues(specs, replies, given);
}

function inputValues(
  specs: readonly InputSpec[],
  replies: ReadonlyMap<string, string>,
  given: InputForm['initial'],
): InputValues {
  return Object.fromEntries(
    specs.flatMap((spec) => {
      const value = replies.get(spec.name) ?? '';
      if (value !== '') {
        return [[spec.name, parseValue(spec, value)]];
      }
      // What she emptied is empty, whatever the front matter says; else nothing was said.
      return spec.name in given ? [[spec.name, '']] : [];
    }),
  );
}

function parseValue(spec: InputSpec, value: string): string | number | boolean {
  switch (spec.type) {
    case 'number':
      return Number(value);
    case 'boolean':
      return value === 'true';
    case 'text':
    case 'choice':
      return value;
  }
}

interface Question {
  readonly spec: InputSpec;
  readonly title: string;
  readonly value: string;
  readonly canGoBack: boolean;
}

function askInput(question: Question): Promise<Reply> {
  const { spec } = question;
  if (spec.type === 'choice') {
    return askChoice(question, spec.options);
  }
  return spec.type === 'boolean' ? askChoice(question, ['true', 'false']) : askText(question);
}

const BOOLEAN_LABELS: Readonly<Record<string, string>> = { true: 'Yes', false: 'No' };

function askChoice(question: Question, options: readonly string[]): Promise<Reply> {
  const box = vscode.window.createQuickPick<vscode.QuickPickItem & { value: string }>();
  box.items = options.map((value) => ({ label: BOOLEAN_LABELS[value] ?? value, value }));
  box.activeItems = box.items.filter(({ value }) => value === question.value);
  box.placeholder = promptText(question.spec);
  return awaitReply(box, question, () => box.activeItems[0]?.value);
}

function askText(question: Question): Promise<Reply> {
  const box = vscode.window.createInputBox();
  box.value = question.value;
  box.prompt = promptText(question.spec);
  const check = (): string | undefined => {
    box.validationMessage = inputProblem(question.spec, box.value);
    return box.validationMessage === undefined ? box.value : undefined;
  };
  box.onDidChangeValue(check);
  return awaitReply(box, question, check);
}

function promptText({ label, name, help, required }: InputSpec): string {
  const what = label === '' ? name : label;
  return `${what}${required ? '' : ' (may stay empty)'}${help === '' ? '' : `: ${help}`}`;
}

/** Why a value will not do; the server has the last word when the run starts. */
export function inputProblem(spec: InputSpec, value: string): string | undefined {
  if (value.trim() === '') {
    return spec.required ? 'This is needed.' : undefined;
  }
  if (spec.type === 'number' && !Number.isFinite(Number(value))) {
    return 'This must be a number.';
  }
  if (spec.maxLength !== null && value.length > spec.maxLength) {
    return `At most ${spec.maxLength} characters; these are ${value.length}.`;
  }
  return undefined;
}

type Box = vscode.QuickPick<vscode.QuickPickItem & { value: string }> | vscode.InputBox;

function awaitReply(
  box: Box,
  { title, canGoBack }: Question,
  value: () => string | undefined,
): Promise<Reply> {
  box.title = title;
  box.ignoreFocusOut = true;
  box.buttons = canGoBack ? [vscode.QuickInputButtons.Back] : [];
  return new Promise((resolve) => {
    const end = (reply: Reply): void => {
      resolve(reply);
      box.dispose();
    };
    box.onDidAccept(() => {
      const given = value();
      if (given !== undefined) {
        end({ value: given });
      }
    });
    box.onDidTriggerButton(() => {
      end('back');
    });
    box.onDidHide(() => {
      end('gone');
    });
    box.show();
  });
}
