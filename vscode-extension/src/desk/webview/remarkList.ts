import type { ActOf, ShownRemark, StepPage } from '../messages';
import { act, actButtons } from './acts';
import { button, element, fill, labels, setAttributes } from './dom';

/** The open remarks of a review, in the order of the text. */
export class RemarkList {
  readonly root = element('section', { class: 'remarks', 'aria-labelledby': 'remarks' });
  #shown = '';

  update({ remarks, dismissed }: StepPage): void {
    const key = JSON.stringify([remarks, dismissed]);
    if (key === this.#shown) {
      return;
    }
    this.#shown = key;
    const focused = document.hasFocus() ? document.activeElement : null;
    const hadFocus = this.root.contains(focused);
    const index = [...this.root.querySelectorAll('li')].findIndex((item) => item.contains(focused));
    const heading = element('h2', { id: 'remarks', tabindex: '-1' }, labels.remarks);
    const items = remarks.map(newItem);
    this.root.replaceChildren(heading, kindsBar(remarks, dismissed), element('ol', {}, ...items));
    this.root.hidden = remarks.length + dismissed === 0;
    if (hadFocus) {
      // The next remark stands there.
      ((index < 0 ? undefined : (items[index] ?? items.at(-1))) ?? heading).focus();
    }
  }
}

/** What is about more than one remark. */
function kindsBar(remarks: readonly ShownRemark[], dismissed: number): HTMLElement {
  const bar = element('div', { class: 'bar' });
  const isFirst = ({ kind }: ShownRemark, index: number): boolean =>
    remarks.findIndex((other) => other.kind === kind) === index;
  for (const first of remarks.filter(isFirst)) {
    const count = remarks.filter(({ kind }) => kind === first.kind).length;
    const target = { ...first, about: labels.dismissKind };
    bar.append(askButton(target, `${first.kind} (${count})`, 'dismissKind'));
  }
  if (remarks.length > 0) {
    bar.prepend(element('span', {}, labels.dismissKind));
  }
  const label = fill(labels.restoreRemarks, dismissed);
  bar.append(...actButtons([dismissed > 0, label, 'restoreRemarks']).map(button));
  return bar;
}

function newItem(remark: ShownRemark): HTMLElement {
  const { about, quote, replacement, range } = remark;
  const isPlaced = range !== null;
  const words = `“${quote}”`;
  const quotation = isPlaced ? askButton(remark, words, 'show') : element('p', {}, words);
  const title = isPlaced && labels.showPlace;
  setAttributes(quotation, { class: 'quote', dir: 'auto', hidden: quote === '', title });
  const suggestion = element('ins', { dir: 'auto' }, replacement ?? '');
  const bar = element('div', { class: 'bar' });
  if (isPlaced && replacement !== null) {
    bar.append(askButton(remark, labels.applySuggestion, 'apply'));
  }
  bar.append(
    ...(isPlaced ? [askButton(remark, labels.rewrite, 'rewrite')] : []),
    askButton(remark, labels.dismiss, 'dismiss'),
  );
  return element(
    'li',
    { tabindex: '-1' },
    element('p', { class: 'facts' }, about),
    quotation,
    element('p', { dir: 'auto' }, remark.remark),
    element('p', { hidden: replacement === null }, `${labels.suggestion} `, suggestion),
    bar,
  );
}

function askButton(
  { remarkId, about }: ShownRemark,
  label: string,
  what: ActOf<'remark'>['what'],
): HTMLElement {
  const run = (): void => {
    act({ act: 'remark', remarkId, what });
  };
  return button({ label, about, run });
}
