import * as vscode from 'vscode';
import { l10n } from 'vscode';
import type { InputSpec } from './protocol';

export type InputValues = Readonly<Record<string, string | number | boolean>>;

/** How the user answered one question. */
type Reply = { readonly value: string } | 'back' | 'cancelled';

export interface InputForm {
  readonly title: string;
  readonly specs: readonly InputSpec[];
  /** Values from the front matter, which are filled in. */
  readonly initial: Readonly<Record<string, string>>;
}

/** Ask for inputs one by one, with a Back button. Undefined if the user cancels. */
export async function askInputs({
  title,
  specs,
  initial,
}: InputForm): Promise<InputValues | undefined> {
  const replies = new Map<string, string>();
  let index = 0;
  for (let spec = specs[0]; spec !== undefined; spec = specs[index]) {
    const reply = await askInput({
      spec,
      title: `${title} (${index + 1}/${specs.length})`,
      value: replies.get(spec.name) ?? initial[spec.name] ?? String(spec.default ?? ''),
      canGoBack: index > 0,
    });
    if (reply === 'cancelled') {
      return undefined;
    }
    if (reply === 'back') {
      index -= 1;
    } else {
      replies.set(spec.name, reply.value);
      index += 1;
    }
  }
  return inputValues(specs, replies, initial);
}

function inputValues(
  specs: readonly InputSpec[],
  replies: ReadonlyMap<string, string>,
  initial: InputForm['initial'],
): InputValues {
  return Object.fromEntries(
    specs.flatMap((spec) => {
      const value = replies.get(spec.name) ?? '';
      if (value !== '') {
        return [[spec.name, parseValue(spec, value)]];
      }
      // An input that the user emptied overrides the front matter; others are left out.
      return spec.name in initial ? [[spec.name, '']] : [];
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

const BOOLEAN_LABELS: Readonly<Record<string, string>> = {
  true: l10n.t('Yes'),
  false: l10n.t('No'),
};

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
  const input = label === '' ? name : label;
  const prompt = help === '' ? input : `${input}: ${help}`;
  return required ? prompt : l10n.t('{0} (optional)', prompt);
}

/** What is wrong with a value; undefined if nothing is. The server checks again. */
export function inputProblem(spec: InputSpec, value: string): string | undefined {
  if (value.trim() === '') {
    return spec.required ? l10n.t('Enter a value.') : undefined;
  }
  if (spec.type === 'number' && !Number.isFinite(Number(value))) {
    return l10n.t('Enter a number.');
  }
  if (spec.maxLength !== null && value.length > spec.maxLength) {
    return l10n.t('Too long: {0} characters, the limit is {1}.', value.length, spec.maxLength);
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
      const accepted = value();
      if (accepted !== undefined) {
        end({ value: accepted });
      }
    });
    box.onDidTriggerButton(() => {
      end('back');
    });
    box.onDidHide(() => {
      end('cancelled');
    });
    box.show();
  });
}
