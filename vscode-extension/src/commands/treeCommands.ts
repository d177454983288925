/**
 * Commands in the menus of tree nodes, by their ids without `writeit.ui.line.`.
 *
 * They have ids of their own because without a node they do nothing, whereas a command of the
 * palette applies to what the user is looking at.
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
