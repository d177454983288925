import { strict as assert } from 'node:assert';
import { complaintOf } from '../src/complain';
import { hunks } from '../src/hunks';
import { problem } from '../src/inputs';
import type { InputSpec } from '../src/protocol';
import { find, type Source } from '../src/server/find';
import { tooOld } from '../src/server/version';
import { Tally } from '../src/streams';
import { placeOf, viewUri } from '../src/uris';
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
): Source {
  return { name, look: () => Promise.resolve(result), decisive };
}

group('units', (test) => {
  test('the first place that has a server wins, and each passed over says why', async () => {
    const empty = source('PATH', { why: 'nothing there' });
    const { found, tried } = await find([empty, source('here', { path: '/bin/writeit' })]);
    assert.deepEqual(found, { command: '/bin/writeit', args: ['serve'], reason: 'here' });
    assert.deepEqual(tried, ['PATH: nothing there']);
  });

  test('a setting that leads nowhere is not passed over in silence', async () => {
    const setting = source('setting', { why: 'it cannot be run' }, true);
    const { found, tried } = await find([setting, source('PATH', { path: '/bin/writeit' })]);
    assert.equal(found, undefined);
    assert.deepEqual(tried, ['setting: it cannot be run']);
  });

  test('an old server is refused with both versions named', () => {
    assert.equal(tooOld('0.1.0', '0.1.0'), undefined);
    assert.equal(tooOld('1.0', '0.9.9'), undefined);
    assert.match(tooOld('0.0.9', '0.1.0') ?? '', /0\.0\.9.*0\.1\.0/);
    assert.ok(tooOld(undefined));
  });

  test('an answer to a question is checked while it is typed', () => {
    assert.equal(problem(SPEC, '12'), undefined);
    assert.equal(problem(SPEC, ' '), 'This is needed.');
    assert.equal(problem(SPEC, 'x'), 'This must be a number.');
    assert.match(problem(SPEC, '1234') ?? '', /At most 3 characters; these are 4/);
    assert.equal(problem({ ...SPEC, required: false }, ''), undefined);
  });

  test('the address of a page is read back', () => {
    assert.deepEqual(placeOf(viewUri('step', 'r', 's')), { view: 'step', runId: 'r', step: 's' });
    assert.deepEqual(placeOf(viewUri('run', 'r')), { view: 'run', runId: 'r' });
    assert.equal(placeOf(viewUri('usage')), undefined);
    assert.equal(placeOf(viewUri('compare', 'a', 'b', 'c', 'd', 'e', 'f')), undefined);
  });

  test('where two texts differ is told line by line', () => {
    const ours = ['one', 'two', 'three', 'four', 'five'];
    assert.deepEqual(hunks(ours, ours), []);
    assert.deepEqual(hunks(ours, ['one', '2', 'three', 'five', 'six']), [
      { line: 1, ours: ['two'], theirs: ['2'] },
      { line: 3, ours: ['four'], theirs: [] },
      { line: 5, ours: [], theirs: ['six'] },
    ]);
    assert.deepEqual(hunks([], ['new']), [{ line: 0, ours: [], theirs: ['new'] }]);
  });

  test('texts too long to be looked into differ in one place', () => {
    const [ours, theirs] = ['a', 'b'].map((side) =>
      Array.from({ length: 2000 }, (_, number) => `${side}${number}`),
    ) as [string[], string[]];
    const found = hunks(['same', ...ours], ['same', ...theirs]);
    assert.deepEqual(found, [{ line: 1, ours, theirs }]);
  });

  test('where buttons do what a hint says, the message does without its commands', () => {
    const told = (data: object): string =>
      complaintOf(Object.assign(new Error('refused'), { code: -32000, data }));
    const message = 'No model is named.';
    const hint = 'Install one with writeit.model.install.';
    assert.equal(told({ kind: 'not_found', message, hint }), `WriteIt: ${message}`);
    assert.match(told({ kind: 'not_found', message, hint: 'Did you mean: a?' }), /Did you mean/);
    assert.match(told({ kind: 'store_error', message, hint: 'Free some space.' }), /Free some/);
  });

  test('progress is told in words', () => {
    const tally = new Tally();
    const responses = ['1', '2'].map((responseId) => ({ responseId, model: 'm' }));
    tally.see({ kind: 'started', runId: 'r', step: 's', responses });
    tally.see({ kind: 'delta', responseId: '1', seq: 0, text: 'abcd' });
    tally.see({ kind: 'finished', responseId: '2', index: null, status: 'failed' });
    assert.equal(tally.words, '1 of 2 answers ended, 4 characters, 1 did not come');
  });
});
