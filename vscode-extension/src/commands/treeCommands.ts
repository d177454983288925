/**
 * Commands of menus on lines of trees, by the tail of their ids after `writeit.ui.line.`.
 *
 * Each has an id of its own because without its line it must do nothing, whereas a command of
 * the palette means what the writer looks at.
 */
export const TREE_COMMANDS: readonly string[] = [
  'document.apply',
  'document.restore',
  'document.start',
  'draft.edit',
  'model.default',
  'model.install',
  'model.setKey',
  'primer.use',
  'response.compare',
  'response.rate',
  'run.activate',
  'run.branch',
  'run.delete',
  'run.diff',
  'run.diffParent',
  'run.export',
  'run.pause',
  'run.resume',
  'run.rewind',
  'step.choose',
  'step.chooseWithFeedback',
  'step.feedback',
  'step.preview',
  'step.regenerate',
  'step.run',
  'step.skip',
];
