import { strict as assert } from 'node:assert';
import { errorMessage } from '../src/showError';
import { diffHunks } from '../src/apply/diffHunks';
import { inputProblem } from '../src/inputForm';
import type { InputSpec } from '../src/protocol';
import { findServer, type ServerSource } from '../src/server/findServer';
import { versionProblem } from '../src/server/version';
import { StreamCounter } from '../src/streamEvents';
import { parseViewUri, viewUri } from '../src/pages/uris';
import { group } from './harness';

const SPEC: InputSpec = {
  name: 'words',
  type: 'number',
  label: '',
  required: true,
  default: null,
  options: [],
  help: '',
  maxLength: 3,
  from: null,
};

function source(
  name: string,
  result: { path: string } | { why: string },
  decisive = false,
): ServerSource {
  return { name, locate: () => Promise.resolve(result), isFinal: decisive };
}

group('units', (test) => {
  test('the first place that has a server wins, and each passed over says why', async () => {
    const empty = source('PATH', { why: 'nothing there' });
    const { found, rejected: tried } = await findServer([
      empty,
      source('here', { path: '/bin/writeit' }),
    ]);
    assert.deepEqual(found, { command: '/bin/writeit', args: ['serve'], reason: 'here' });
    assert.deepEqual(tried, ['PATH: nothing there']);
  });

  test('a setting that leads nowhere is not passed over in silence', async () => {
    const setting = source('setting', { why: 'it cannot be run' }, true);
    const { found, rejected: tried } = await findServer([
      setting,
      source('PATH', { path: '/bin/writeit' }),
    ]);
    assert.equal(found, undefined);
    assert.deepEqual(tried, ['setting: it cannot be run']);
  });

  test('an old server is refused with both versions named', () => {
    assert.equal(versionProblem('0.1.0', '0.1.0'), undefined);
    assert.equal(versionProblem('1.0', '0.9.9'), undefined);
    assert.match(versionProblem('0.0.9', '0.1.0') ?? '', /0\.0\.9.*0\.1\.0/);
    assert.ok(versionProblem(undefined));
  });

  test('an answer to a question is checked while it is typed', () => {
    assert.equal(inputProblem(SPEC, '12'), undefined);
    assert.equal(inputProblem(SPEC, ' '), 'This is needed.');
    assert.equal(inputProblem(SPEC, 'x'), 'This must be a number.');
    assert.match(inputProblem(SPEC, '1234') ?? '', /At most 3 characters; these are 4/);
    assert.equal(inputProblem({ ...SPEC, required: false }, ''), undefined);
  });

  test('the address of a page is read back', () => {
    assert.deepEqual(parseViewUri(viewUri('step', 'r', 's')), {
      view: 'step',
      runId: 'r',
      step: 's',
    });
    assert.deepEqual(parseViewUri(viewUri('run', 'r')), { view: 'run', runId: 'r' });
    assert.equal(parseViewUri(viewUri('usage')), undefined);
    assert.equal(parseViewUri(viewUri('compare', 'a', 'b', 'c', 'd', 'e', 'f')), undefined);
  });

  test('where two texts differ is told line by line', () => {
    const ours = ['one', 'two', 'three', 'four', 'five'];
    assert.deepEqual(diffHunks(ours, ours), []);
    assert.deepEqual(diffHunks(ours, ['one', '2', 'three', 'five', 'six']), [
      { line: 1, userLines: ['two'], proposedLines: ['2'] },
      { line: 3, userLines: ['four'], proposedLines: [] },
      { line: 5, userLines: [], proposedLines: ['six'] },
    ]);
    assert.deepEqual(diffHunks([], ['new']), [{ line: 0, userLines: [], proposedLines: ['new'] }]);
  });

  test('texts too long to be looked into differ in one place', () => {
    const [ours, theirs] = ['a', 'b'].map((side) =>
      Array.from({ length: 2000 }, (_, number) => `${side}${number}`),
    ) as [string[], string[]];
    const found = diffHunks(['same', ...ours], ['same', ...theirs]);
    assert.deepEqual(found, [{ line: 1, userLines: ours, proposedLines: theirs }]);
  });

  test('where buttons do what a hint says, the message does without its commands', () => {
    const told = (data: object): string =>
      errorMessage(Object.assign(new Error('refused'), { code: -32000, data }));
    const message = 'No model is named.';
    const hint = 'Install one with writeit.model.install.';
    assert.equal(told({ kind: 'not_found', message, hint }), `WriteIt: ${message}`);
    assert.match(told({ kind: 'not_found', message, hint: 'Did you mean: a?' }), /Did you mean/);
    assert.match(told({ kind: 'store_error', message, hint: 'Free some space.' }), /Free some/);
  });

  test('progress is told in words', () => {
    const tally = new StreamCounter();
    const responses = ['1', '2'].map((responseId) => ({ responseId, model: 'm' }));
    tally.add({ kind: 'started', runId: 'r', step: 's', responses });
    tally.add({ kind: 'delta', responseId: '1', seq: 0, text: 'abcd' });
    tally.add({
      kind: 'finished',
      responseId: '2',
      index: null,
      status: 'failed',
      usage: null,
      error: null,
    });
    assert.equal(tally.summary, '1 of 2 answers ended, 4 characters, 1 did not come');
  });
});
