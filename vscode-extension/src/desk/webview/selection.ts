/** The part of an answer that is selected, as its markdown has it. */
export interface SelectedPart {
  readonly responseId: string;
  readonly text: string;
}

/** What is selected in one answer; undefined if nothing is, or more than one answer. */
export function selectedPart(): SelectedPart | undefined {
  const selection = document.getSelection();
  if (selection === null || selection.isCollapsed || selection.rangeCount === 0) {
    return undefined;
  }
  const range = selection.getRangeAt(0);
  const body = bodyOf(range.startContainer);
  const responseId = body?.dataset['answer'];
  if (body === undefined || responseId === undefined || bodyOf(lastNode(range)) !== body) {
    return undefined;
  }
  const { source = '' } = body as HTMLElement & { source?: string };
  const blocks = [...body.querySelectorAll<HTMLElement>('[data-lines]')].filter((block) =>
    range.intersectsNode(block),
  );
  const text = sourceOf(source, blocks, selection.toString());
  return text.trim() === '' ? undefined : { responseId, text };
}

function bodyOf(node: Node): HTMLElement | undefined {
  const inner = node instanceof Element ? node : node.parentElement;
  return inner?.closest<HTMLElement>('[data-answer]') ?? undefined;
}

/** A triple click ends the range at the start of the block that follows. */
function lastNode({ endContainer, endOffset, startContainer }: Range): Node {
  return endOffset === 0 && endContainer !== startContainer ? startContainer : endContainer;
}

function sourceOf(source: string, blocks: readonly HTMLElement[], selected: string): string {
  const touched = blocks.filter((block) => hasWordsOf(block, selected));
  const leaves = touched.filter((block) => !touched.some((o) => o !== block && block.contains(o)));
  const lines = leaves.map((block) => (block.dataset['lines'] ?? '0-0').split('-').map(Number));
  const first = Math.min(...lines.map(([from = 0]) => from));
  const last = Math.max(...lines.map(([, to = 0]) => to));
  const whole = source.split('\n').slice(first, last).join('\n');
  const shown = leaves.map(({ textContent }) => textContent).join('');
  const isWhole = withoutSpace(shown) === withoutSpace(selected);
  return (isWhole ? undefined : findInMarkdown(whole, selected)) ?? whole;
}

function hasWordsOf(block: HTMLElement, selected: string): boolean {
  const [first = ''] = block.textContent.trim().split('\n');
  return first !== '' || selected === '';
}

function withoutSpace(text: string): string {
  return text.replaceAll(/\s/g, '');
}

const SKIPPED = /\]\([^)]*\)|(?<=^[ \t]*)\d+[.)][ \t]|[\s*_`~\\[\]()#>|+-]/my;
const EMPHASIS = /[*_`~]/;

/**
 * The part of a markdown text that is shown as `shown`, with the marks that belong to it.
 * Undefined if it is not found, or would begin or end within marks: then its blocks are taken.
 */
export function findInMarkdown(source: string, shown: string): string | undefined {
  const wanted = withoutSpace(shown);
  for (let start = source.indexOf(wanted.charAt(0)); start !== -1;) {
    const end = endOfMatch(source, start, wanted);
    if (end !== undefined) {
      return withMarks(source, start, end);
    }
    start = source.indexOf(wanted.charAt(0), start + 1);
  }
  return undefined;
}

function endOfMatch(source: string, start: number, wanted: string): number | undefined {
  let place = start;
  for (let matched = 0; matched < wanted.length;) {
    if (source[place] === wanted[matched]) {
      matched += 1;
      place += 1;
      continue;
    }
    SKIPPED.lastIndex = place;
    if (place >= source.length || !SKIPPED.test(source)) {
      return undefined;
    }
    place = SKIPPED.lastIndex;
  }
  return place;
}

function withMarks(source: string, start: number, end: number): string | undefined {
  let [from, to] = [start, end];
  while (from > 0 && EMPHASIS.test(source.charAt(from - 1))) {
    from -= 1;
  }
  while (EMPHASIS.test(source.charAt(to))) {
    to += 1;
  }
  return [source.slice(start, end), source.slice(from, to)].find(isBalanced);
}

function isBalanced(text: string): boolean {
  const isEven = (mark: string): boolean => (text.split(mark).length - 1) % 2 === 0;
  const isLinkWhole = text.split('](').length <= text.split('[').length;
  return ['*', '_', '`', '~'].every(isEven) && isLinkWhole;
}

let selecting: { body: Element; anchor: number; focus: number } | undefined;

/** Select the next paragraph of an answer, or one more; returns what it has. */
export function extendByBlock(body: Element, direction: 1 | -1): string {
  const blocks = [...body.children];
  const isGoingOn = selecting?.body === body && selectedPart() !== undefined;
  const top = blocks.findIndex((block) => block.getBoundingClientRect().bottom > TOP_PX);
  const { anchor, focus } =
    isGoingOn && selecting ? selecting : { anchor: top, focus: top - direction };
  const next = Math.min(Math.max(focus + direction, 0), blocks.length - 1);
  selecting = { body, anchor: Math.max(anchor, 0), focus: next };
  const [first, last] = [
    blocks[Math.min(selecting.anchor, next)],
    blocks[Math.max(selecting.anchor, next)],
  ];
  if (first === undefined || last === undefined) {
    return '';
  }
  document.getSelection()?.setBaseAndExtent(first, 0, last, last.childNodes.length);
  blocks[next]?.scrollIntoView({ block: 'nearest' });
  return blocks[next]?.textContent ?? '';
}

/** Below the head of the answer, which stays at the top. */
const TOP_PX = 100;
