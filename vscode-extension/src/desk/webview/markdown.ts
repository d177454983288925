import MarkdownIt from 'markdown-it';
import { element, fill, labels, options, post } from './dom';

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
  for (const token of tokens) {
    if (token.type.startsWith('heading_')) {
      const level = Number(token.tag.slice(1)) + (env as { below: number }).below;
      token.tag = `h${Math.min(level, 6)}`;
    }
    if (token.level === 0 && token.nesting >= 0) {
      token.attrSet('dir', 'auto'); // of its own words: those of elements with one do not count
    }
    if (token.map !== null && token.nesting >= 0) {
      token.attrSet('data-lines', token.map.join('-'));
    }
  }
});

/** The blocks of a text; `below` is the level of the heading that it stands under. */
export function renderBlocks(text: string, below = 2): DocumentFragment {
  const template = document.createElement('template');
  template.innerHTML = markdown.render(text, { below });
  return template.content;
}

/** A line of text, as a heading has it. */
export function renderLine(text: string): DocumentFragment {
  const template = document.createElement('template');
  template.innerHTML = markdown.renderInline(text);
  return template.content;
}

/**
 * Show a text. Blocks before the first one that differs stay as they are, so that nothing moves
 * and no selection is lost while the end grows. Whether something has changed.
 */
export function showMarkdown(target: Element, text: string, below = 2): boolean {
  const shown = target as HTMLElement & { source?: string };
  if (shown.source === text) {
    return false;
  }
  shown.source = text;
  const blocks = [...renderBlocks(text, below).children];
  const old = [...target.children];
  const first = blocks.findIndex((block, index) => !old[index]?.isEqualNode(block));
  const kept = first === -1 ? blocks.length : first;
  old.slice(kept).forEach((block) => {
    block.remove();
  });
  target.append(...blocks.slice(kept));
  return true;
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
export function imagesButton(root: Element): HTMLElement | undefined {
  if (options.hasImages || root.querySelector('.image') === null) {
    return undefined;
  }
  const made = element('button', { type: 'button', class: 'quiet' }, labels.showImages);
  made.addEventListener('click', () => {
    post({ kind: 'images' });
  });
  return made;
}
