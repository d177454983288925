import type { ShownAnswer, StepPage } from '../messages';
import { act } from './acts';
import { button, element, fill, labels, setAttributes, setButtons } from './dom';
import type { ButtonSpec } from './dom';
import { Field } from './fields';
import { renderLine, showMarkdown } from './markdown';
import type { SelectedPart } from './selection';
import { keepTyped } from './unsaved';

/** What a card needs of its page. */
export interface CardContext {
  readonly page: StepPage;
  /** What is selected, in whichever answer. */
  readonly part: SelectedPart | undefined;
  /** The answer that is to be compared with another one. */
  readonly compared: string | undefined;
  compare(responseId: string): void;
  take(responseId: string, text: string): void;
}

/** One answer: its head, which stays in view, and its text. */
export class AnswerCard {
  readonly root: HTMLElement;
  readonly body: HTMLElement;
  answer: ShownAnswer;
  readonly #heading: HTMLElement;
  readonly #model = element('span', { class: 'model' });
  readonly #state = element('span', { class: 'state' });
  readonly #facts = element('p', { class: 'facts' });
  readonly #note = element('p', { class: 'note' });
  readonly #bar = element('div', { class: 'bar' });
  #editor: Field | undefined;
  #context: CardContext;

  constructor(answer: ShownAnswer, context: CardContext) {
    this.answer = answer;
    this.#context = context;
    const { responseId } = answer;
    const id = `answer-${responseId}`;
    this.#heading = element('h2', { id });
    this.#bar.setAttribute('role', 'group');
    this.body = element('div', { class: 'prose', 'data-answer': responseId });
    this.root = element(
      'article',
      { class: 'answer', tabindex: '0', 'aria-labelledby': id },
      element(
        'header',
        { class: 'head' },
        element('div', { class: 'name' }, this.#heading, this.#model, this.#state),
        this.#facts,
        this.#bar,
      ),
      this.#note,
      this.body,
    );
  }

  update(answer: ShownAnswer, context: CardContext): void {
    const wasState = this.answer.state;
    this.answer = answer;
    this.#context = context;
    setAttributes(this.root, {
      'data-state': answer.state,
      'data-chosen': answer.isChosen,
      'aria-busy': String(answer.state === 'streaming'),
    });
    const name = fill(labels.answer, answer.name);
    setText(this.#heading, name);
    this.#bar.setAttribute('aria-label', name);
    setText(this.#model, answer.model);
    setText(this.#state, stateText(answer));
    setText(this.#facts, answer.facts);
    if (this.#note.textContent !== answer.note) {
      this.#note.replaceChildren(renderLine(answer.note));
    }
    this.#note.hidden = answer.note === '';
    if (showMarkdown(this.body, answer.text) || wasState !== answer.state) {
      this.#addItemButtons();
    }
    setAttributes(this.body, {
      'data-items': context.page.choosesItems && context.page.can.select,
    });
    this.#editor?.show(answer.text, this.#saved);
    this.updateButtons(context);
  }

  /** The buttons change with what is selected, too. */
  updateButtons(context: CardContext): void {
    this.#context = context;
    const all = this.#editor === undefined ? this.#buttons() : this.#editButtons();
    setButtons(this.#bar, all);
  }

  /** Do what the button of that key does; false if it is not there. */
  press(keys: string): boolean {
    const found = this.#buttons().find((spec) => spec.keys === keys);
    found?.run();
    return found !== undefined;
  }

  #buttons(): ButtonSpec[] {
    const { page } = this.#context;
    const { responseId, state } = this.answer;
    if (state === 'failed' || state === 'queued') {
      return [];
    }
    const buttons: ButtonSpec[] = state === 'ended' ? this.#choices() : [];
    if (page.can.merge || page.isStreaming) {
      const text = this.#part()?.text;
      buttons.push({
        label: text === undefined ? labels.take : labels.takePart,
        keys: 'M',
        run: () => {
          this.#context.take(responseId, text ?? this.answer.text);
        },
      });
    }
    if (state === 'streaming') {
      return [{ label: labels.stop, keys: 'X', run: this.#ask('stop') }, ...buttons];
    }
    buttons.push(...this.#comparison());
    if (this.answer.canContinue) {
      buttons.push({ label: labels.continueAnswer, run: this.#ask('continue') });
    }
    return [...buttons, { label: labels.rate, run: this.#ask('rate') }];
  }

  #comparison(): ButtonSpec[] {
    const { page, compared } = this.#context;
    const { responseId } = this.answer;
    if (page.answers.filter(({ state }) => state === 'ended').length < 2) {
      return [];
    }
    const other = page.answers.find((each) => each.responseId === compared);
    const isOther = other !== undefined && compared !== responseId;
    const label = isOther ? fill(labels.compareWith, other.name) : labels.compare;
    const run = (): void => {
      this.#context.compare(responseId);
    };
    return [{ label, keys: 'D', run }];
  }

  #choices(): ButtonSpec[] {
    const { page } = this.#context;
    const isWhole = this.#part() === undefined;
    if (page.isStreaming) {
      return [{ label: labels.stopAndChoose, run: this.#choose(true, true) }];
    }
    if (!page.can.select) {
      return [];
    }
    const goOn = page.isLast ? labels.chooseAndApply : labels.chooseAndContinue;
    return [
      {
        label: isWhole ? goOn : labels.choosePart,
        isPrimary: !page.choosesItems || !isWhole,
        keys: 'Ctrl+Enter',
        run: this.#choose(true),
      },
      { label: labels.choose, keys: 'C', run: this.#choose(false) },
      {
        label: labels.edit,
        keys: 'E',
        run: () => {
          this.#edit(true);
        },
      },
    ];
  }

  #part(): SelectedPart | undefined {
    const { part } = this.#context;
    return part?.responseId === this.answer.responseId ? part : undefined;
  }

  #choose(goOn: boolean, stopOthers = false): () => void {
    return () => {
      const { responseId, isDraft } = this.answer;
      const part = this.#part();
      // A part of the user's own words is no part of the answer: the whole of them is chosen.
      const text = part === undefined || isDraft ? {} : { text: part.text };
      act({ act: 'choose', responseId, goOn, stopOthers, ...text });
    };
  }

  #ask(what: 'stop' | 'continue' | 'rate'): () => void {
    return () => {
      act({ act: what, responseId: this.answer.responseId });
    };
  }

  /** One list is a list to choose from: each of its items gets a button, if items are chosen. */
  #addItemButtons(): void {
    for (const old of this.body.querySelectorAll('.item-bar')) {
      old.remove();
    }
    const lists = [...this.body.children].filter(({ tagName }) => /^[OU]L$/.test(tagName));
    const [list] = lists;
    const isOffered = this.#context.page.choosesItems && this.answer.state === 'ended';
    if (lists.length !== 1 || list === undefined || !isOffered) {
      return;
    }
    [...list.children].forEach((item, index) => {
      const run = (): void => {
        const { responseId } = this.answer;
        act({ act: 'choose', responseId, goOn: true, item: index + 1 });
      };
      const about = `${index + 1}, ${fill(labels.answer, this.answer.name)}`;
      item.append(
        element('div', { class: 'item-bar' }, button({ label: labels.chooseItem, about, run })),
      );
    });
  }

  get #saved(): string | undefined {
    return this.#context.page.drafts[this.answer.responseId];
  }

  #edit(isEditing: boolean): void {
    if (isEditing) {
      const label = fill(labels.editField, this.answer.name);
      this.#editor = new Field(this.answer.responseId, label, 16);
      this.#editor.show(this.answer.text, this.#saved);
      this.body.hidden = true;
      this.root.append(this.#editor.area, this.#editor.status);
      this.#editor.area.setSelectionRange(0, 0);
      this.#editor.area.focus();
    } else {
      this.#editor?.area.remove();
      this.#editor?.status.remove();
      this.#editor = undefined;
      this.body.hidden = false;
      this.root.focus();
    }
    this.updateButtons(this.#context);
  }

  #editButtons(): ButtonSpec[] {
    const [first, second] = this.#choices();
    const discard = (): void => {
      keepTyped(this.answer.responseId, '', this.#saved ?? '');
      this.#edit(false);
    };
    const done = (): void => {
      this.#edit(false);
    };
    return [
      ...[first, second].filter((spec) => spec !== undefined),
      { label: labels.editDone, run: done },
      { label: labels.discard, run: discard },
    ];
  }
}

export function stateText({ state, isChosen, isDraft, note }: ShownAnswer): string {
  const words = {
    ended: note === '' ? '' : labels.incomplete,
    streaming: labels.generating,
    failed: labels.failed,
    queued: labels.queued,
  };
  return [isChosen ? labels.chosen : '', isDraft ? labels.draft : '', words[state]]
    .filter(Boolean)
    .join(' · ');
}

function setText(target: Element, text: string): void {
  if (target.textContent !== text) {
    target.textContent = text;
  }
}
