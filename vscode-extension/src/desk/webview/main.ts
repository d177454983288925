import type { DeskPage, ToPage } from '../messages';
import { allowActs } from './acts';
import { element, getState, options, post, setAttributes, setState } from './dom';
import { changedField, savedField, unsavedFields } from './fields';
import { handleKeys } from './keys';
import { followLinks } from './markdown';
import { CompareView, RunView } from './otherViews';
import { StepView } from './stepView';
import { sendTyped } from './unsaved';

const page = document.getElementById('page') ?? document.body;
const live = element('div', { class: 'live', 'aria-live': 'polite', role: 'status' });
document.body.append(live);

const style = document.documentElement.style;
style.setProperty('--prose-family', options.family);
style.setProperty('--prose-size', `${options.size}px`);
style.setProperty('--prose-line', String(options.lineHeight));

let view: StepView | RunView | CompareView | undefined;

function show(shown: DeskPage): void {
  allowActs();
  const isBesidePage = shown.kind === 'problem' && view instanceof StepView;
  setAttributes(live, { 'data-problem': isBesidePage });
  switch (shown.kind) {
    case 'step':
      open(() => new StepView(live), StepView).update(shown);
      break;
    case 'compare':
      open(() => new CompareView(), CompareView).update(shown);
      break;
    case 'run':
    case 'problem':
      if (isBesidePage) {
        live.textContent = shown.intro; // the words that are being typed stay on the screen
      } else {
        open(() => new RunView(), RunView).update(shown);
      }
      break;
  }
}

/** The view of a kind; a page that is shown for the first time goes where the user left it. */
function open<V extends StepView | RunView | CompareView>(
  make: () => V,
  kind: abstract new (...parts: never[]) => V,
): V {
  if (view instanceof kind) {
    return view;
  }
  const made = make();
  view = made;
  page.replaceChildren(made.root);
  const { scroll } = getState();
  requestAnimationFrame(() => {
    window.scrollTo(0, scroll);
  });
  return made;
}

window.addEventListener('message', ({ data }: MessageEvent<ToPage>) => {
  switch (data.kind) {
    case 'page':
      show(data.page);
      break;
    case 'saved':
      savedField(data.place, data.text);
      break;
    case 'changed':
      changedField(data.place, data.text);
      break;
    case 'unsaved':
      unsavedFields(data.message);
      break;
    case 'idle':
      allowActs();
      break;
  }
});

let scrolling = 0;
window.addEventListener('scroll', () => {
  cancelAnimationFrame(scrolling);
  scrolling = requestAnimationFrame(() => {
    setState({ scroll: window.scrollY });
  });
});

followLinks(document.body);
handleKeys(() => (view instanceof StepView ? view : undefined));
sendTyped();
post({ kind: 'ready' });
