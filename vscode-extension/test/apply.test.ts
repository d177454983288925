import { strict as assert } from 'node:assert';
import * as vscode from 'vscode';
import type { StepApplyResult } from '../src/protocol';
import { article, ask, finish, group, newRun, run, until } from './harness';

group('apply', (test) => {
  test('a text comes into the document as one edit that one undo takes back', async () => {
    const editor = await article();
    const before = editor.document.getText();
    const { pipelineRunId: runId } = await newRun(editor, { output: 'replace' });
    await finish(runId);
    const result = (await run('writeit.ui.document.apply', { runId })) as StepApplyResult;
    assert.ok(result.applied);
    assert.equal(editor.document.getText(), 'A first answer.\n');
    await vscode.window.showTextDocument(editor.document);
    await run('undo');
    assert.equal(editor.document.getText(), before);
  });

  test('the article is saved where the setting says so, and else left dirty', async () => {
    const section = vscode.workspace.getConfiguration('writeit');
    for (const saves of [true, false]) {
      await section.update('autoSave', saves, vscode.ConfigurationTarget.Global);
      const editor = await article();
      const { pipelineRunId: runId } = await newRun(editor, { output: 'replace' });
      await finish(runId);
      await run('writeit.ui.document.apply', { runId });
      assert.equal(editor.document.isDirty, !saves);
    }
    await section.update('autoSave', undefined, vscode.ConfigurationTarget.Global);
  });

  test('restoring brings back the text as it was', async () => {
    const editor = await article();
    const before = editor.document.getText();
    const { pipelineRunId: runId } = await newRun(editor, { output: 'replace' });
    await finish(runId);
    await run('writeit.ui.document.apply', { runId });
    assert.notEqual(editor.document.getText(), before);
    await run('writeit.ui.document.restore', { runId });
    assert.equal(editor.document.getText(), before);
  });

  test('a passage is rewritten in its place', async () => {
    const editor = await article('# Rivers\n\nThe mills stand further down.\n\nThe end.\n');
    editor.selection = new vscode.Selection(2, 0, 2, 29);
    await run('writeit.document.polish', {
      uri: editor.document.uri.toString(),
      range: { start: { line: 2, character: 0 }, end: { line: 2, character: 29 } },
      models: ['openai/say-Downstream%20stand%20the%20mills.'],
      apply: true,
      wait: false,
    });
    await until('the passage', () => editor.document.getText().includes('Downstream'));
    assert.equal(
      editor.document.getText(),
      '# Rivers\n\nDownstream stand the mills.\n\nThe end.\n',
    );
  });

  test('a new article is a file of its own and is opened', async () => {
    const editor = await article();
    const { pipelineRunId: runId } = await newRun(editor, { output: 'new_file' });
    await finish(runId);
    const result = (await run('writeit.ui.document.apply', { runId })) as StepApplyResult;
    const made = await vscode.workspace.openTextDocument(vscode.Uri.parse(result.uri));
    assert.equal(made.getText().trim(), 'A first answer.');
    await ask('writeit.run.show', { runId });
  });
});
