import { strict as assert } from 'node:assert';
import * as vscode from 'vscode';
import { errorMessage } from '../src/showError';
import { diffHunks } from '../src/apply/diffHunks';
import { inputProblem } from '../src/inputForm';
import type { InputSpec } from '../src/protocol';
import { findServer, type ServerSource } from '../src/server/findServer';
import { PromptLenses } from '../src/server/promptLenses';
import { versionProblem } from '../src/server/version';
import { StreamCounter } from '../src/progress';
import { parseViewUri, viewUri } from '../src/pages/uris';
import { withPrefix } from '../src/wording';
import { group, openArticle, waitFor } from './harness';

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

function fakeSource(
  name: string,
  result: { path: string } | { problem: string },
  decisive = false,
): ServerSource {
  return { name, locate: () => Promise.resolve(result), isFinal: decisive };
}

group('units', (test) => {
  test('the first source with a server is used, and the others say why not', async () => {
    const empty = fakeSource('PATH', { problem: 'nothing there' });
    const { server, rejected } = await findServer([
      empty,
      fakeSource('here', { path: '/bin/writeit' }),
    ]);
    assert.deepEqual(server, { command: '/bin/writeit', args: ['serve'], reason: 'here' });
    assert.deepEqual(rejected, ['PATH: nothing there']);
  });

  test('a setting that leads nowhere ends the search', async () => {
    const setting = fakeSource('setting', { problem: 'it cannot be run' }, true);
    const { server, rejected } = await findServer([
      setting,
      fakeSource('PATH', { path: '/bin/writeit' }),
    ]);
    assert.equal(server, undefined);
    assert.deepEqual(rejected, ['setting: it cannot be run']);
  });

  test('a server that is too old is refused with both versions named', () => {
    assert.equal(versionProblem('0.1.0', '0.1.0'), undefined);
    assert.equal(versionProblem('1.0', '0.9.9'), undefined);
    assert.match(versionProblem('0.0.9', '0.1.0') ?? '', /0\.0\.9.*0\.1\.0/);
    assert.ok(versionProblem(undefined));
  });

  test('lenses that take long are answered with the last ones, and asked for again', async () => {
    const { document } = await openArticle();
    let refreshes = 0;
    const lenses = new PromptLenses(() => (refreshes += 1));
    const lens = (line: number): vscode.CodeLens =>
      new vscode.CodeLens(new vscode.Range(line, 0, line, 0));
    const provide = (answer: Promise<vscode.CodeLens[]>): Promise<vscode.CodeLens[]> =>
      lenses.provide(document, () => answer);
    await provide(Promise.resolve([lens(0)]));
    const ended = new vscode.EventEmitter<vscode.CodeLens[]>();
    const late = new Promise<vscode.CodeLens[]>((resolve) => {
      ended.event(resolve);
    });
    assert.deepEqual(await provide(late), [lens(0)]);
    assert.equal(refreshes, 0);
    ended.fire([lens(1)]);
    await waitFor('the request', () => refreshes === 1);
    assert.deepEqual(await provide(new Promise(() => undefined)), [lens(1)]);
  });

  test('an input is checked while it is typed', () => {
    assert.equal(inputProblem(SPEC, '12'), undefined);
    assert.ok(inputProblem(SPEC, ' '));
    assert.ok(inputProblem(SPEC, 'x'));
    assert.match(inputProblem(SPEC, '1234') ?? '', /4.*3/);
    assert.equal(inputProblem({ ...SPEC, required: false }, ''), undefined);
  });

  test('the URI of a page is parsed', () => {
    assert.deepEqual(parseViewUri(viewUri('step', 'r', 's')), {
      view: 'step',
      runId: 'r',
      step: 's',
    });
    assert.deepEqual(parseViewUri(viewUri('run', 'r')), { view: 'run', runId: 'r' });
    assert.equal(parseViewUri(viewUri('usage')), undefined);
    assert.equal(parseViewUri(viewUri('compare', 'a', 'b', 'c', 'd', 'e', 'f')), undefined);
  });

  test('two texts differ in hunks of lines', () => {
    const user = ['one', 'two', 'three', 'four', 'five'];
    assert.deepEqual(diffHunks(user, user), []);
    assert.deepEqual(diffHunks(user, ['one', '2', 'three', 'five', 'six']), [
      { line: 1, userLines: ['two'], proposedLines: ['2'] },
      { line: 3, userLines: ['four'], proposedLines: [] },
      { line: 5, userLines: [], proposedLines: ['six'] },
    ]);
    assert.deepEqual(diffHunks([], ['new']), [{ line: 0, userLines: [], proposedLines: ['new'] }]);
  });

  test('texts that are too long to compare differ in one hunk', () => {
    const [user, proposed] = ['a', 'b'].map((side) =>
      Array.from({ length: 2000 }, (_, number) => `${side}${number}`),
    ) as [string[], string[]];
    const hunks = diffHunks(user, proposed);
    assert.deepEqual(hunks, [{ line: 0, userLines: user, proposedLines: proposed }]);
  });

  test('a message leaves out a hint that buttons replace', () => {
    const messageOf = (data: object): string =>
      errorMessage(Object.assign(new Error('refused'), { code: -32000, data }));
    const message = 'No model is named.';
    const hint = 'Install one with writeit.model.install.';
    assert.equal(messageOf({ kind: 'not_found', message, hint }), withPrefix(message));
    assert.match(
      messageOf({ kind: 'not_found', message, hint: 'Did you mean: a?' }),
      /Did you mean/,
    );
    assert.match(
      messageOf({ kind: 'store_error', message, hint: 'Free some space.' }),
      /Free some/,
    );
  });

  test('progress counts answers and characters', () => {
    const counter = new StreamCounter();
    const responses = [1, 2].map((number) => ({
      responseId: `${number}`,
      model: 'm',
      number,
      letter: null,
    }));
    counter.add({ kind: 'started', runId: 'r', step: 's', responses });
    counter.add({ kind: 'delta', responseId: '1', seq: 0, text: 'abcd' });
    counter.add({
      kind: 'finished',
      responseId: '2',
      number: 2,
      index: null,
      status: 'failed',
      usage: null,
      finishReason: null,
      error: null,
    });
    assert.deepEqual(counter.summary.match(/\d+/g), ['1', '2', '4', '1']);
  });
});
