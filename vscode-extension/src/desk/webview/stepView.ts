import type { ShownAnswer, StepPage } from '../messages';
import { act, actButtons } from './acts';
import { AnswerCard, stateText, type CardContext } from './answerCard';
import { Dock } from './dock';
import {
  arrange,
  element,
  fill,
  getState,
  labels,
  setAttributes,
  setButtons,
  setState,
} from './dom';
import type { ButtonSpec } from './dom';
import { imageButtons, renderLine, showMarkdown } from './markdown';
import { RemarkList } from './remarkList';
import { selectedPart } from './selection';
import { typedIn } from './unsaved';

/** The answers of one round, side by side; earlier rounds and read remarks are folded. */
interface Round {
  readonly root: HTMLDetailsElement;
  readonly summary: HTMLElement;
  readonly grid: HTMLElement;
}

/** The page of a step. */
export class StepView {
  readonly dock = new Dock();
  readonly root: HTMLElement;
  readonly #nav = element('nav', { 'aria-label': labels.steps });
  readonly #title = element('h1', { tabindex: '-1' });
  readonly #intro = element('div', { class: 'intro' });
  readonly #bar = element('div', { class: 'bar' });
  readonly #remarks = new RemarkList();
  readonly #rounds = element('div', { class: 'rounds' });
  readonly #live: HTMLElement;
  readonly #cards = new Map<string, AnswerCard>();
  readonly #roundOf = new Map<number, Round>();
  #page: StepPage | undefined;
  #compared: string | undefined;

  constructor(live: HTMLElement) {
    this.#live = live;
    const keys = element(
      'details',
      { class: 'keys' },
      element('summary', {}, labels.keysTitle),
      element('p', {}, labels.keys),
    );
    const top = element('div', { class: 'top' }, this.#nav, this.#title, this.#intro, this.#bar);
    const parts = [top, this.#remarks.root, this.#rounds, keys, this.dock.root];
    this.root = element('div', { class: 'step' }, ...parts);
    document.addEventListener('selectionchange', () => {
      this.#updateButtons();
    });
  }

  get cards(): readonly AnswerCard[] {
    const { answers = [] } = this.#page ?? {};
    return answers.flatMap(({ responseId }) => this.#cards.get(responseId) ?? []);
  }

  update(page: StepPage): void {
    this.#announce(page);
    this.#page = page;
    this.#updateTop(page);
    this.#remarks.update(page);
    const context = this.#context(page);
    for (const answer of page.answers) {
      const card = this.#cards.get(answer.responseId) ?? new AnswerCard(answer, context);
      this.#cards.set(answer.responseId, card);
      card.update(answer, context);
    }
    this.#arrangeRounds(page);
    this.dock.update(page);
    setButtons(this.#bar, [...stepButtons(page), ...imageButtons(this.#rounds)]);
  }

  #updateTop(page: StepPage): void {
    const links = page.steps.map(({ name, uri, status }) => {
      const current = page.title.startsWith(name) ? 'page' : undefined;
      return element('a', { href: uri, 'aria-current': current, title: status }, name);
    });
    if (links.map(({ outerHTML }) => outerHTML).join('') !== this.#nav.innerHTML) {
      this.#nav.replaceChildren(...links);
    }
    if (this.#title.textContent !== page.title) {
      this.#title.replaceChildren(renderLine(page.title));
    }
    showMarkdown(this.#intro, page.intro);
  }

  #arrangeRounds(page: StepPage): void {
    const isRead = !page.isStreaming && page.remarks.length + page.dismissed > 0;
    const numbers = [...new Set(page.answers.map(({ round }) => round))];
    const rounds = numbers.map((number, index) => {
      const round = this.#roundOf.get(number) ?? newRound(number);
      this.#roundOf.set(number, round);
      const answers = page.answers.filter((answer) => answer.round === number);
      arrange(
        round.grid,
        answers.flatMap(({ responseId }) => this.#cards.get(responseId)?.root ?? []),
      );
      const title = isRead ? labels.answers : labels.olderRounds;
      updateRound(round, number, index === 0 && !isRead, title, answers);
      return round.root;
    });
    arrange(this.#rounds, rounds);
  }

  #context(page: StepPage): CardContext {
    return {
      page,
      // Read when it is asked for: a key may come before the browser tells of a selection.
      get part() {
        return selectedPart();
      },
      compared: this.#compared,
      compare: (responseId) => {
        this.#compare(page, responseId);
      },
      take: (responseId, text) => {
        this.#take(page, responseId, text);
      },
    };
  }

  /** Two answers are compared at once; of more, the second one is the one pressed next. */
  #compare({ answers }: StepPage, responseId: string): void {
    const others = answers.filter(
      (each) => each.state === 'ended' && each.responseId !== responseId,
    );
    const [only] = others;
    const left = others.length === 1 ? only?.responseId : this.#compared;
    if (left === undefined || left === responseId) {
      this.#compared = left === responseId ? undefined : responseId;
      this.#updateButtons();
    } else {
      this.#compared = undefined;
      act({ act: 'compare', left, right: responseId });
    }
  }

  #take({ passages, merge }: StepPage, responseId: string, text: string): void {
    const { field } = this.dock.merge;
    const hasOwnWords = passages === 0 ? field.text.trim() !== '' : field.text !== merge;
    act({ act: 'take', responseId, text });
    if (hasOwnWords || typedIn('merge') !== undefined) {
      field.append(text); // what the user wrote stays, and the passage follows
    }
    this.dock.merge.open(true, false);
    this.say(labels.added);
  }

  say(text: string): void {
    this.#live.textContent = text;
  }

  #updateButtons(): void {
    if (this.#page !== undefined) {
      const context = this.#context(this.#page);
      for (const card of this.#cards.values()) {
        card.updateButtons(context);
      }
    }
  }

  /** Say of each answer that has ended, for people who do not see it grow. */
  #announce(page: StepPage): void {
    const ended = page.answers.filter(({ responseId, state }) => {
      const before = this.#cards.get(responseId)?.answer.state;
      return before !== undefined && before !== state && state !== 'streaming';
    });
    if (ended.length > 0) {
      const said = ended.map(
        (answer) => `${fill(labels.answer, answer.name)}: ${stateText(answer) || answer.facts}`,
      );
      this.say(said.join('. '));
    }
  }
}

function newRound(number: number): Round {
  const grid = element('div', { class: 'grid' });
  const summary = element('summary', {});
  const root = element('details', { class: 'round' }, summary, grid);
  summary.addEventListener('click', () => {
    setState({ opened: { ...getState().opened, [`round-${number}`]: !root.open } });
  });
  return { root, summary, grid };
}

function updateRound(
  { root, summary }: Round,
  number: number,
  isNewest: boolean,
  title: string,
  answers: readonly ShownAnswer[],
): void {
  const isOpen = getState().opened[`round-${number}`] ?? answers.some(({ isChosen }) => isChosen);
  setAttributes(root, {
    'data-newest': String(isNewest),
    open: isNewest || isOpen,
  });
  summary.hidden = isNewest;
  const numbers = answers.map(({ name }) => name).join(', ');
  const text = isNewest ? '' : `${title} · ${numbers}`;
  if (summary.textContent !== text) {
    summary.textContent = text;
  }
}

function stepButtons(page: StepPage): ButtonSpec[] {
  const { can, isStreaming, canResume, answers } = page;
  return actButtons(
    [canResume, labels.resume, 'resume', true],
    [can.run && !isStreaming && !canResume, labels.run, 'run', answers.length === 0],
    [can.apply && page.isLast, labels.apply, 'apply', true],
    [isStreaming && page.canPause, labels.stopAll, 'pause'],
    [can.skip && !isStreaming, labels.skip, 'skip'],
    [can.branch && !can.select && !isStreaming, labels.branch, 'branch'],
  );
}
