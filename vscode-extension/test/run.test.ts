import { strict as assert } from 'node:assert';
import * as vscode from 'vscode';
import type { PipelineRun } from '../src/protocol';
import { contextKeys } from '../src/editorContext';
import { viewUri } from '../src/pages/uris';
import { article, ask, extension, group, newRun, open, run, until } from './harness';

group('run', (test) => {
  test('starting from a lens shows the run beside the document and sends nothing', async () => {
    const editor = await article();
    const started = (await run('writeit.run.start', {
      pipeline: 'tech-article',
      uri: editor.document.uri.toString(),
      inputs: { target_audience: 'editors' },
      wait: false,
    })) as PipelineRun;
    assert.equal(started.status, 'INITIALIZING');
    const view = await until('the page', () => open(viewUri('run', started.pipelineRunId)));
    assert.match(view.getText(), /tech-article/);
    assert.equal(
      vscode.window.activeTextEditor?.document.uri.toString(),
      editor.document.uri.toString(),
    );
  });

  test('a branch opens its step, and the run it came from stays as it was', async () => {
    const editor = await article();
    const { pipelineRunId: runId } = await newRun(editor);
    await ask('writeit.step.run', { runId });
    await ask('writeit.step.select', { runId, response: 0 });
    const before = await ask('writeit.run.show', { runId });
    const child = (await run('writeit.ui.run.branch', { runId, step: 'angles' })) as PipelineRun;
    assert.equal(child.parentPipelineRunId, runId);
    await until('the page', () => open(viewUri('step', child.pipelineRunId, 'angles')));
    assert.deepEqual(await ask('writeit.run.show', { runId }), before);
  });

  test('what the writer looks at decides what is offered', async () => {
    const app = await extension();
    const editor = await article();
    await app.editorContext.refresh();
    const meant = (): string | undefined => app.editorContext.current.run?.pipelineRunId;
    assert.equal(meant(), undefined);
    const { pipelineRunId: runId } = await newRun(editor);
    await until('the run', () => meant() === runId);
    await run('writeit.document.polish', {
      uri: editor.document.uri.toString(),
      models: ['openai/say-Polished.'],
      apply: true,
    });
    await app.editorContext.refresh();
    assert.equal(meant(), runId, 'a polish is not what it means');
  });

  test('a polish alone can be restored, and is, by the command of the palette', async () => {
    const app = await extension();
    const editor = await article();
    const before = editor.document.getText();
    await app.editorContext.refresh();
    assert.equal(contextKeys(app.editorContext.current)['canRestore'], false);
    await run('writeit.document.polish', {
      uri: editor.document.uri.toString(),
      models: ['openai/say-Polished.'],
      apply: true,
    });
    assert.notEqual(editor.document.getText(), before);
    assert.equal(contextKeys(app.editorContext.current)['hasRun'], false);
    assert.equal(contextKeys(app.editorContext.current)['canRestore'], true);
    await run('writeit.ui.document.restore');
    assert.equal(editor.document.getText(), before);
    assert.equal(contextKeys(app.editorContext.current)['canRestore'], false);
  });

  test('from the page of another step the palette runs the one the run stands at', async () => {
    const { pipelineRunId: runId } = await newRun(await article());
    await ask('writeit.step.skip', { runId });
    await run('writeit.ui.step.open', { runId, step: 'angles' });
    await run('writeit.ui.step.run');
    const { steps } = await ask('writeit.run.show', { runId });
    assert.equal(steps['outline']?.status, 'RUNNING');
  });
});
