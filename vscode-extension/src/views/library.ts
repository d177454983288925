import * as vscode from 'vscode';
import type { App } from '../app';
import type { PipelineEntry, StylePrimer } from '../protocol';
import { count } from '../words';
import { Node, opens } from './node';

/** A line that menus act on: its pipeline, its file. */
class PipelineNode extends Node {
  readonly pipeline: string;
  readonly uri: string;

  constructor(pipeline: PipelineEntry, folder: string | undefined) {
    const { name, description, appliesTo, steps, inputs, uri, problems } = pipeline;
    const id = `${folder ?? ''}/${name}`;
    const trouble = problems.length === 0 ? '' : `${count(problems.length, 'problem')}, `;
    super(
      name,
      {
        id,
        description: trouble + description,
        icon: problems.length > 0 ? 'warning' : appliesTo === 'document' ? 'list-ordered' : 'edit',
        kind: `pipeline.${appliesTo}`,
        command: opens(vscode.Uri.parse(uri)),
      },
      () =>
        Promise.resolve([
          ...problems.map(
            ({ message, severity }, place) =>
              new Node(message, {
                id: `${id}/problem/${place}`,
                description: severity,
                icon: 'warning',
              }),
          ),
          ...inputs.map(
            (spec) =>
              new Node(spec.label === '' ? spec.name : spec.label, {
                id: `${id}/input/${spec.name}`,
                description: `input, ${spec.required ? 'needed' : 'may be left out'}${spec.from === null ? '' : ', from the document'}`,
                tooltip: spec.help,
                icon: 'symbol-parameter',
              }),
          ),
          ...steps.map(
            (step) =>
              new Node(step, {
                id: `${id}/step/${step}`,
                description: 'step',
                icon: 'arrow-small-right',
              }),
          ),
        ]),
    );
    this.pipeline = name;
    this.uri = uri;
  }
}

export async function pipelineLines(
  app: App,
  folder: string | undefined,
): Promise<readonly Node[]> {
  const { pipelines } = await app.server.ask('writeit.pipeline.list', { folder });
  return pipelines.map((pipeline) => new PipelineNode(pipeline, folder));
}

class PrimerNode extends Node {
  readonly primer: string;

  constructor(
    { primerId, description, version }: StylePrimer,
    preferred: boolean,
    folder: string | undefined,
  ) {
    super(primerId, {
      id: `${folder ?? ''}/${primerId}`,
      description: preferred ? `preferred, ${description}` : description,
      tooltip: `${description}\nversion ${version}`,
      icon: preferred ? 'check' : 'paintcan',
      kind: 'primer',
      command: {
        title: 'Read',
        command: 'writeit.ui.primer.show',
        arguments: [{ primer: primerId }],
      },
    });
    this.primer = primerId;
  }
}

export async function primerLines(app: App, folder: string | undefined): Promise<readonly Node[]> {
  const [{ primers }, { stylePrimer }] = await Promise.all([
    app.server.ask('writeit.primer.list', { folder }),
    app.server.ask('writeit.preferences.get', { folder }),
  ]);
  return primers.map((primer) => new PrimerNode(primer, primer.primerId === stylePrimer, folder));
}
