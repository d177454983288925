import { diffArrays } from 'diff';
import type { ComparePage, ProblemPage, RunPage } from '../messages';
import { act, actButtons } from './acts';
import { element, labels, setButtons } from './dom';
import type { ButtonSpec } from './dom';
import { renderBlocks, renderLine, showMarkdown } from './markdown';

/** The page of a run: what the server says of it, and what can be done. */
export class RunView {
  readonly root: HTMLElement;
  readonly #title = element('h1', { tabindex: '-1' });
  readonly #bar = element('div', { class: 'bar' });
  readonly #text = element('div', { class: 'prose' });

  constructor() {
    this.root = element('div', { class: 'run' }, this.#title, this.#bar, this.#text);
  }

  update(page: RunPage | ProblemPage): void {
    this.#title.replaceChildren(renderLine(page.title));
    showMarkdown(this.#text, page.intro, 0);
    setButtons(this.#bar, page.kind === 'run' ? runButtons(page) : []);
  }
}

function runButtons({ canResume, canRun, canApply, canPause, step }: RunPage): ButtonSpec[] {
  return actButtons(
    [canResume, labels.resume, 'resume', true],
    [canRun, `${labels.run} ${step}`, 'run', !canResume],
    [canApply, labels.apply, 'apply', true],
    [canPause, labels.stopAll, 'pause'],
  );
}

/** Two texts side by side, with the words that differ marked in each. */
export class CompareView {
  readonly root = element('div', { class: 'compare' });
  #shown = '';

  update(page: ComparePage): void {
    const key = JSON.stringify(page);
    if (key === this.#shown) {
      return;
    }
    this.#shown = key;
    const bodies = page.sides.map(({ text }) =>
      element('div', { class: 'prose' }, renderBlocks(text)),
    );
    const [left, right] = bodies;
    if (left !== undefined && right !== undefined) {
      markDifferences(left, right);
    }
    const columns = page.sides.map((side, index) =>
      comparedColumn(page, side, bodies[index] ?? element('div')),
    );
    const title = element('h1', { tabindex: '-1' }, renderLine(page.title));
    this.root.replaceChildren(title, element('div', { class: 'grid' }, ...columns));
  }
}

function comparedColumn(
  { isLast }: ComparePage,
  { title, responseId }: ComparePage['sides'][number],
  body: HTMLElement,
): HTMLElement {
  const bar = element('div', { class: 'bar' });
  if (responseId !== null) {
    const label = isLast ? labels.chooseAndApply : labels.chooseAndContinue;
    const run = (): void => {
      act({ act: 'choose', responseId, goOn: true });
    };
    setButtons(bar, [{ label, isPrimary: true, run }]);
  }
  const heading = element('h2', {}, renderLine(title));
  const head = element('header', { class: 'head' }, heading, bar);
  return element('article', { class: 'answer' }, head, body);
}

interface Word {
  readonly node: Text;
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

function markDifferences(left: HTMLElement, right: HTMLElement): void {
  const [old, now] = [wordsOf(left), wordsOf(right)];
  const changes = diffArrays(
    old.map(({ text }) => text),
    now.map(({ text }) => text),
  );
  let [oldPlace, newPlace] = [0, 0];
  const marked: [Word[], 'del' | 'ins'][] = [];
  for (const { added, removed, value } of changes) {
    if (removed) {
      marked.push([old.slice(oldPlace, oldPlace + value.length), 'del']);
    } else if (added) {
      marked.push([now.slice(newPlace, newPlace + value.length), 'ins']);
    }
    oldPlace += added ? 0 : value.length;
    newPlace += removed ? 0 : value.length;
  }
  for (const [words, tag] of marked.toReversed()) {
    mark(words, tag);
  }
}

function wordsOf(root: HTMLElement): Word[] {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const words: Word[] = [];
  for (let node = walker.nextNode(); node instanceof Text; node = walker.nextNode()) {
    for (const match of node.data.matchAll(/\S+/g)) {
      const [text] = match;
      words.push({ node, start: match.index, end: match.index + text.length, text });
    }
  }
  return words;
}

/** Wrap words that follow each other; the last ones come first, so that places stay valid. */
function mark(words: readonly Word[], tag: 'del' | 'ins'): void {
  const byNode = Map.groupBy(words, ({ node }) => node);
  for (const [node, inNode] of byNode) {
    const [first, last] = [inNode[0], inNode.at(-1)];
    if (first !== undefined && last !== undefined) {
      const range = document.createRange();
      range.setStart(node, first.start);
      range.setEnd(node, last.end);
      range.surroundContents(element(tag));
    }
  }
}
