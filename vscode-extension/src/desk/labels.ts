import { l10n } from 'vscode';

/** The title of a page that cannot be read. */
export const MISSING = l10n.t('This page cannot be shown');

/** Every text of the page that the extension, not the server, writes. */
const LABELS = {
  steps: l10n.t('Steps of this run'),
  answers: l10n.t('Answers'),
  olderRounds: l10n.t('Earlier answers'),
  answer: l10n.t('Answer {0}'),
  chosen: l10n.t('your choice'),
  generating: l10n.t('generating'),
  queued: l10n.t('queued'),
  failed: l10n.t('no answer'),
  incomplete: l10n.t('incomplete'),
  draft: l10n.t('edited, not used yet'),
  chooseAndContinue: l10n.t('Choose and Continue'),
  chooseAndApply: l10n.t('Choose and Apply'),
  stopAndChoose: l10n.t('Stop Others and Choose'),
  choose: l10n.t('Choose'),
  choosePart: l10n.t('Choose Selection'),
  chooseItem: l10n.t('Choose This One'),
  take: l10n.t('Add to Merge'),
  takePart: l10n.t('Add Selection'),
  edit: l10n.t('Edit'),
  editDone: l10n.t('Done'),
  editField: l10n.t('Text of answer {0}'),
  discard: l10n.t('Discard Changes'),
  compare: l10n.t('Compare'),
  compareWith: l10n.t('Compare with Answer {0}'),
  rate: l10n.t('Rate…'),
  continueAnswer: l10n.t('Continue This Answer'),
  stop: l10n.t('Stop'),
  stopAll: l10n.t('Stop Generating'),
  resume: l10n.t('Resume'),
  run: l10n.t('Generate'),
  skip: l10n.t('Skip and Continue'),
  apply: l10n.t('Apply the Text'),
  branch: l10n.t('Branch Here'),
  merge: l10n.t('Merge'),
  mergeField: l10n.t('Text of the merge'),
  mergeHint: l10n.t('Add passages of the answers, or write here. It is kept as you type.'),
  mergeAndContinue: l10n.t('Use Merge and Continue'),
  mergeAndApply: l10n.t('Use Merge and Apply'),
  mergeOnly: l10n.t('Use Merge'),
  mergeByModel: l10n.t('Merge with a Model…'),
  passage: l10n.t('1 passage'),
  passages: l10n.t('{0} passages'),
  feedback: l10n.t('Feedback'),
  feedbackField: l10n.t('Feedback for the models'),
  feedbackHint: l10n.t(
    'Sent with your next choice, merge or regeneration. It is kept as you type.',
  ),
  regenerate: l10n.t('Regenerate'),
  keepRule: l10n.t('Keep This as a Rule'),
  saved: l10n.t('Saved'),
  unsaved: l10n.t('Not saved yet: {0}'),
  joined: l10n.t('Changed in another window. Both texts are here.'),
  added: l10n.t('Added to the merge'),
  image: l10n.t('Image: {0}'),
  showImages: l10n.t('Show Images'),
  remarks: l10n.t('Remarks'),
  suggestion: l10n.t('Suggestion:'),
  showPlace: l10n.t('Show in the document'),
  applySuggestion: l10n.t('Apply Suggestion'),
  rewrite: l10n.t('Rewrite'),
  dismiss: l10n.t('Dismiss'),
  dismissKind: l10n.t('Dismiss all about:'),
  restoreRemarks: l10n.t('Show Dismissed ({0})'),
  keys: l10n.t(
    'Keys: a number goes to that answer, left and right to the next one. In an answer: Ctrl+Enter chooses and continues, C chooses, M adds to the merge, E edits, D compares, X stops; Shift with up and down selects paragraphs. G goes to the merge, F to the feedback, Escape back.',
  ),
  keysTitle: l10n.t('Keyboard'),
};

export type Labels = Readonly<Record<keyof typeof LABELS, string>>;

export function deskLabels(): Labels {
  return LABELS;
}
