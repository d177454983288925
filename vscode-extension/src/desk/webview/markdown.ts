import MarkdownIt from 'markdown-it';
import { fill, labels, options, post, type ButtonSpec } from './dom';

const SAFE_LINK = /^(?:https?:|mailto:|writeit:)/i;

const markdown = new MarkdownIt({ html: false, linkify: false, typographer: false });
markdown.validateLink = (url) => SAFE_LINK.test(url.trim());
markdown.renderer.rules['image'] = (tokens, index, _options, _env, renderer) => {
  const token = tokens[index];
  const alt = token?.content ?? '';
  const text = markdown.utils.escapeHtml(fill(labels.image, alt));
  if (!options.hasImages) {
    return `<span class="image">${text}</span>`;
  }
  token?.attrSet('alt', alt);
  return renderer.renderToken(tokens, index, _options);
};
// Where a block stands in its source, so that what is selected can be found there.
markdown.core.ruler.push('lines', ({ tokens, env }) => {
  const { below, firstLine } = env as unknown as Place;
  for (const token of tokens) {
    if (token.type.startsWith('heading_')) {
      const level = Number(token.tag.slice(1)) + below;
      token.tag = `h${Math.min(level, 6)}`;
    }
    if (token.level === 0 && token.nesting >= 0) {
      token.attrSet('dir', 'auto'); // of its own words: those of elements with one do not count
    }
    if (token.map !== null && token.nesting >= 0) {
      token.attrSet('data-lines', token.map.map((line) => line + firstLine).join('-'));
    }
  }
});

interface Place {
  /** The level of the heading that a text stands under. */
  readonly below: number;
  /** The line of the whole text with which it begins. */
  readonly firstLine: number;
}

/** The blocks of a text. */
export function renderBlocks(text: string, below = 2, firstLine = 0): DocumentFragment {
  const template = document.createElement('template');
  const place: Place = { below, firstLine };
  template.innerHTML = markdown.render(text, { ...place });
  return template.content;
}

/** A line of text, as a heading has it. */
export function renderLine(text: string): DocumentFragment {
  const template = document.createElement('template');
  template.innerHTML = markdown.renderInline(text);
  return template.content;
}

type Shown = Element & { source?: string };

/**
 * Show a text. Blocks before the first one that differs stay as they are, so that nothing moves
 * and no selection is lost while the end grows. Whether something has changed.
 */
export function showMarkdown(target: Element, text: string, below = 2): boolean {
  const shown: Shown = target;
  const { source = '' } = shown;
  if (source === text) {
    return false;
  }
  shown.source = text;
  const lines = text.split('\n');
  const old = [...target.children];
  const stable = text.startsWith(source) ? stableBlocks(old, lines) : 0;
  const firstLine = firstLineOf(old[stable]) ?? 0;
  const tail = lines.slice(firstLine).join('\n');
  const blocks = [...renderBlocks(tail, below, firstLine).children];
  const first = blocks.findIndex((block, index) => !old[stable + index]?.isEqualNode(block));
  const kept = first === -1 ? blocks.length : first;
  old.slice(stable + kept).forEach((block) => {
    block.remove();
  });
  target.append(...blocks.slice(kept));
  return true;
}

/** A definition of a link changes blocks before it. */
const LINK_DEFINITION = /^ {0,3}\[[^\]]+\]:/;

/** How many blocks what follows cannot change: those before the last one after a blank line. */
function stableBlocks(blocks: readonly Element[], lines: readonly string[]): number {
  if (lines.some((line) => LINK_DEFINITION.test(line))) {
    return 0;
  }
  const last = blocks.findLastIndex((block) => {
    const line = firstLineOf(block);
    return line !== undefined && line > 0 && lines[line - 1]?.trim() === '';
  });
  return Math.max(last, 0);
}

function firstLineOf(block: Element | undefined): number | undefined {
  const marked = block?.matches('[data-lines]') ? block : block?.querySelector('[data-lines]');
  const from = marked?.getAttribute('data-lines')?.split('-')[0];
  return from === undefined ? undefined : Number(from);
}

/** Open pages of WriteIt here; the editor opens links of the web by itself. */
export function followLinks(root: Element): void {
  root.addEventListener('click', (event) => {
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    const uri = link?.getAttribute('href') ?? '';
    if (uri.startsWith('writeit:')) {
      event.preventDefault();
      post({ kind: 'open', uri });
    }
  });
}

/** A button that shows the images of the page, if it has some that are not shown. */
export function imageButtons(root: Element): ButtonSpec[] {
  const run = (): void => {
    post({ kind: 'images' });
  };
  const isHidden = !options.hasImages && root.querySelector('.image') !== null;
  return isHidden ? [{ label: labels.showImages, run }] : [];
}
