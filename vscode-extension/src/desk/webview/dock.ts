import type { StepPage } from '../messages';
import { act, actButtons } from './acts';
import { element, fill, getState, labels, setAttributes, setButtons, setState } from './dom';
import type { ButtonSpec } from './dom';
import { Field } from './fields';

/** One of the two text areas below the answers, which opens and closes. */
class Panel {
  readonly toggle: HTMLButtonElement;
  readonly root: HTMLElement;
  readonly field: Field;
  readonly #id: string;
  readonly #bar = element('div', { class: 'bar' });
  #buttons: readonly ButtonSpec[] = [];

  constructor(id: string, label: string, hint: string) {
    this.#id = id;
    this.field = new Field(id, label, 6);
    setAttributes(this.field.area, { id: `${id}-text`, placeholder: hint });
    this.toggle = element('button', { type: 'button', class: 'toggle', 'aria-controls': id });
    this.root = element(
      'section',
      { id, class: 'panel', 'aria-label': label },
      this.field.area,
      element('div', { class: 'panel-foot' }, this.#bar, this.field.status),
    );
    this.toggle.addEventListener('click', () => {
      this.open(!this.isOpen);
    });
    this.field.area.addEventListener('keydown', (event) => {
      if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        this.#buttons.find(({ isPrimary }) => isPrimary)?.run();
      }
    });
    this.#show(getState().opened[id] ?? false);
  }

  get isOpen(): boolean {
    return !this.root.hidden;
  }

  #show(isOpen: boolean): void {
    this.root.hidden = !isOpen;
    setAttributes(this.toggle, { 'aria-expanded': String(isOpen) });
  }

  open(isOpen: boolean, withFocus = true): void {
    if (this.toggle.hidden) {
      return;
    }
    this.#show(isOpen);
    setState({ opened: { ...getState().opened, [this.#id]: isOpen } });
    if (withFocus) {
      (isOpen ? this.field.area : this.toggle).focus();
    }
  }

  update(title: string, text: string, saved: string, buttons: readonly ButtonSpec[]): void {
    this.toggle.textContent = title;
    this.field.show(text, saved);
    if (getState().opened[this.#id] === undefined && this.field.text.trim() !== '') {
      this.#show(true); // words are never hidden, unless the user closes the panel
    }
    this.#buttons = buttons;
    setButtons(this.#bar, buttons);
  }
}

/** The merge and the feedback, which stay at the bottom of the page. */
export class Dock {
  readonly merge = new Panel('merge', labels.mergeField, labels.mergeHint);
  readonly feedback = new Panel('feedback', labels.feedbackField, labels.feedbackHint);
  readonly root: HTMLElement;
  #page: StepPage | undefined;

  constructor() {
    const { merge, feedback } = this;
    this.root = element(
      'footer',
      { class: 'dock' },
      element('div', { class: 'toggles' }, merge.toggle, feedback.toggle),
      merge.root,
      feedback.root,
    );
  }

  update(page: StepPage): void {
    this.#page = page;
    this.root.hidden = page.answers.length === 0;
    const passages = page.passages === 1 ? labels.passage : fill(labels.passages, page.passages);
    const count = page.passages > 0 ? ` · ${passages}` : '';
    this.merge.toggle.hidden = page.isReview;
    const { merge = '', feedback = '' } = page.drafts;
    this.merge.update(`${labels.merge}${count}`, page.merge, merge, this.#mergeButtons());
    const words = page.feedback.trim() === '' ? '' : ' ·';
    const title = `${labels.feedback}${words}`;
    this.feedback.update(title, page.feedback, feedback, this.#feedbackButtons());
  }

  #mergeButtons(): ButtonSpec[] {
    const page = this.#page;
    if (page?.can.merge !== true || page.isStreaming) {
      return [];
    }
    const use = (goOn: boolean) => (): void => {
      act({ act: 'merge', content: this.merge.field.text, goOn });
    };
    const label = page.isLast ? labels.mergeAndApply : labels.mergeAndContinue;
    return [
      { label, run: use(true), isPrimary: true, keys: 'Ctrl+Enter' },
      { label: labels.mergeOnly, run: use(false) },
      ...actButtons([true, labels.mergeByModel, 'mergeByModel']),
    ];
  }

  #feedbackButtons(): ButtonSpec[] {
    const keep = (): void => {
      const { text } = this.feedback.field;
      if (text.trim() !== '') {
        act({ act: 'keepRule', text });
      }
    };
    const keepRule = { label: labels.keepRule, run: keep };
    const run = (): void => {
      act({ act: 'regenerate', feedback: this.feedback.field.text });
      this.feedback.open(false);
    };
    const regenerate = { label: labels.regenerate, run, isPrimary: true, keys: 'Ctrl+Enter' };
    return this.#page?.can.regenerate === true ? [regenerate, keepRule] : [keepRule];
  }
}
