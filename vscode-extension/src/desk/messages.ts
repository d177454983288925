import type { Remark, StepPermissions, ViewAnswer } from '../protocol';

/** What the page and the extension tell each other. Neither side trusts more than these shapes. */

/** An answer as the page shows it. */
export interface ShownAnswer extends Omit<ViewAnswer, 'number' | 'letter'> {
  /** Its number, or its letter until a blind choice; `model` is blank until then. */
  readonly name: string;
  readonly text: string;
  readonly isChosen: boolean;
  /** The answer has the user's own words, which no decision has taken yet. */
  readonly isDraft: boolean;
  readonly canContinue: boolean;
  readonly score: number | null;
}

/** A remark of a review; `about` is its kind, its place, and how many models made it. */
export type ShownRemark = Remark & { readonly about: string };

interface PageBase {
  readonly title: string;
  /** Markdown below the title. */
  readonly intro: string;
}

export interface StepPage extends PageBase {
  readonly kind: 'step';
  readonly steps: readonly {
    readonly name: string;
    readonly uri: string;
    readonly status: string;
  }[];
  readonly answers: readonly ShownAnswer[];
  /** Those that are neither dismissed nor applied. */
  readonly remarks: readonly ShownRemark[];
  readonly dismissed: number;
  /** Whether the answers are read as remarks. */
  readonly isReview: boolean;
  readonly merge: string;
  readonly passages: number;
  readonly feedback: string;
  /** What the server keeps of each place. */
  readonly drafts: Readonly<Record<Place, string>>;
  readonly can: StepPermissions;
  readonly canPause: boolean;
  readonly canResume: boolean;
  readonly isStreaming: boolean;
  readonly isLast: boolean;
  readonly choosesItems: boolean;
}

export interface RunPage extends PageBase {
  readonly kind: 'run';
  readonly step: string;
  readonly canRun: boolean;
  readonly canApply: boolean;
  readonly canPause: boolean;
  readonly canResume: boolean;
}

export interface ComparedSide {
  readonly title: string;
  readonly text: string;
  /** The answer, if this side is one of the step that can still be chosen. */
  readonly responseId: string | null;
}

export interface ComparePage extends PageBase {
  readonly kind: 'compare';
  readonly sides: readonly ComparedSide[];
  readonly isLast: boolean;
}

export interface ProblemPage extends PageBase {
  readonly kind: 'problem';
}

export type DeskPage = StepPage | RunPage | ComparePage | ProblemPage;

/** Where words are typed: `merge`, `feedback`, or the id of an edited answer. */
export type Place = string;

interface OfAnswer {
  readonly responseId: string;
}

/** What the user can do on a page, with what each act needs. */
interface ActParams {
  /** An answer, a selected part of it, or an item of its list. */
  choose: OfAnswer & {
    readonly goOn: boolean;
    readonly stopOthers?: boolean;
    readonly text?: string;
    readonly item?: number;
  };
  take: OfAnswer & { readonly text: string };
  merge: { readonly content: string; readonly goOn: boolean };
  regenerate: { readonly feedback: string };
  keepRule: { readonly text: string };
  compare: { readonly left: string; readonly right: string };
  continue: OfAnswer;
  rate: OfAnswer;
  stop: OfAnswer;
  remark: {
    readonly remarkId: string;
    readonly what: 'show' | 'apply' | 'rewrite' | 'dismiss' | 'dismissKind';
  };
}

/** Acts that need nothing but the page. */
type SimpleName =
  'run' | 'skip' | 'pause' | 'resume' | 'apply' | 'branch' | 'mergeByModel' | 'restoreRemarks';
export type SimpleAct = { [N in SimpleName]: { readonly act: N } }[SimpleName];

type ActName = keyof ActParams;
export type Act = { [N in ActName]: { readonly act: N } & ActParams[N] }[ActName] | SimpleAct;
export type ActOf<N extends Act['act']> = Extract<Act, { readonly act: N }>;

export interface TypedText {
  readonly place: Place;
  readonly text: string;
  /** The saved text that the user began with; absent while that was told before. */
  readonly replaces?: string;
}

export type ToExtension =
  | { readonly kind: 'ready' }
  | { readonly kind: 'act'; readonly act: Act }
  | ({ readonly kind: 'draft' } & TypedText)
  | { readonly kind: 'open'; readonly uri: string }
  | { readonly kind: 'images' };

export type ToPage =
  | { readonly kind: 'page'; readonly page: DeskPage }
  | { readonly kind: 'saved'; readonly place: Place; readonly text: string }
  /** Another window has saved this text, which the words here do not replace. */
  | { readonly kind: 'changed'; readonly place: Place; readonly text: string }
  | { readonly kind: 'unsaved'; readonly message: string }
  | { readonly kind: 'idle' };
