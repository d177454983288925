import type { AnswerCard } from './answerCard';
import { extendByBlock } from './selection';
import type { StepView } from './stepView';

/** Keys of a step's page. Letters work only in an answer, so that stray typing decides nothing. */
export function handleKeys(view: () => StepView | undefined): void {
  document.addEventListener('keydown', (event) => {
    const step = view();
    if (step === undefined || event.altKey || event.defaultPrevented) {
      return;
    }
    if (event.key === 'Escape') {
      leave(step, event);
    } else if (!isTyping(event.target) && pressKey(step, event)) {
      event.preventDefault();
    }
  });
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLTextAreaElement || target instanceof HTMLInputElement;
}

/** Escape leaves a text area for the answers, and an answer for the page. */
function leave(step: StepView, event: KeyboardEvent): void {
  const card = isTyping(event.target) ? (currentCard(step) ?? step.cards[0]) : undefined;
  card?.root.focus();
}

function currentCard({ cards }: StepView): AnswerCard | undefined {
  return cards.find(({ root }) => root.contains(document.activeElement));
}

function pressKey(step: StepView, event: KeyboardEvent): boolean {
  const { key, ctrlKey, metaKey } = event;
  const card = currentCard(step);
  if (ctrlKey || metaKey) {
    if (key !== 'Enter' || card === undefined) {
      return false;
    }
    return card.press('Ctrl+Enter');
  }
  if (/^\d$/.test(key)) {
    const before = event.timeStamp - typed.at < SECOND_DIGIT_MS ? typed.digit : '';
    typed = { digit: key, at: event.timeStamp };
    return goTo(withNumber(step, before + key) ?? withNumber(step, key));
  }
  if (key === 'g' || key === 'f') {
    (key === 'g' ? step.dock.merge : step.dock.feedback).open(true);
    return true;
  }
  return isOnCard(card) && pressCardKey(step, card, event);
}

/** Two digits that follow each other so fast are one number. */
const SECOND_DIGIT_MS = 1000;
let typed = { digit: '', at: 0 };

/** The answer with a number, or with the letter that stands for it until a blind choice. */
function withNumber({ cards }: StepView, digits: string): AnswerCard | undefined {
  const letter = String.fromCharCode('@'.charCodeAt(0) + Number(digits));
  return cards.find(({ answer: { name } }) => name === digits || name === letter);
}

/** Keys of an answer work while the answer itself has the focus, not one of its buttons. */
function isOnCard(card: AnswerCard | undefined): card is AnswerCard {
  return document.activeElement === card?.root;
}

function pressCardKey(step: StepView, card: AnswerCard, { key, shiftKey }: KeyboardEvent): boolean {
  const places = step.cards;
  const index = places.indexOf(card);
  switch (key) {
    case 'ArrowRight':
      return goTo(places[index + 1]);
    case 'ArrowLeft':
      return goTo(places[index - 1]);
    case 'ArrowDown':
    case 'ArrowUp':
      if (shiftKey) {
        step.say(extendByBlock(card.body, key === 'ArrowDown' ? 1 : -1));
      }
      return shiftKey;
    default:
      return card.press(key.toUpperCase());
  }
}

function goTo(card: AnswerCard | undefined): boolean {
  const round = card?.root.closest('details');
  if (round != null) {
    round.open = true;
  }
  card?.root.focus();
  return card !== undefined;
}
