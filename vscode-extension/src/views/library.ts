import * as vscode from 'vscode';
import { l10n } from 'vscode';
import type { App } from '../app';
import type { PipelineEntry, Problem, StylePrimer } from '../protocol';
import { plural } from '../wording';
import { TreeNode, openCommand } from './treeNode';

/** A pipeline; menu commands read `pipeline` and `uri`. */
class PipelineNode extends TreeNode {
  readonly pipeline: string;
  readonly uri: string;

  constructor(pipeline: PipelineEntry, folder: string | undefined) {
    const { name, description, appliesTo, steps, inputs, uri, problems } = pipeline;
    const id = `${folder ?? ''}/${uri}`;
    const problemCount = problems.length === 0 ? '' : `${plural(problems.length, 'problem')}, `;
    super(
      name,
      {
        id,
        description: problemCount + description,
        icon: problems.length > 0 ? 'warning' : appliesTo === 'document' ? 'list-ordered' : 'edit',
        contextValue: `pipeline.${appliesTo}`,
        command: openCommand(vscode.Uri.parse(uri)),
      },
      () =>
        Promise.resolve([
          ...problems.map(
            ({ message, severity }, index) =>
              new TreeNode(message, {
                id: `${id}/problem/${index}`,
                description: severity,
                icon: 'warning',
              }),
          ),
          ...inputs.map(
            (spec) =>
              new TreeNode(spec.label === '' ? spec.name : spec.label, {
                id: `${id}/input/${spec.name}`,
                description: inputText(spec),
                tooltip: spec.help,
                icon: 'symbol-parameter',
              }),
          ),
          ...steps.map(
            (step) =>
              new TreeNode(step, {
                id: `${id}/step/${step}`,
                description: l10n.t('step'),
                icon: 'arrow-small-right',
              }),
          ),
        ]),
    );
    this.pipeline = name;
    this.uri = uri;
  }
}

function inputText({ required, from }: PipelineEntry['inputs'][number]): string {
  if (from !== null) {
    return l10n.t('input, read from the document');
  }
  return required ? l10n.t('input, required') : l10n.t('input, optional');
}

/** What is wrong with a file that cannot be used, else its description. */
function problemOr(problems: readonly Problem[] | undefined, description: string): string {
  return problems?.[0]?.message ?? description;
}

export async function loadPipelines(
  app: App,
  folder: string | undefined,
): Promise<readonly TreeNode[]> {
  const { pipelines } = await app.server.execute('writeit.pipeline.list', { folder });
  return pipelines.map((pipeline) => new PipelineNode(pipeline, folder));
}

class PrimerNode extends TreeNode {
  readonly primer: string;

  constructor(
    { primerId, description, version, uri, problems, usable }: StylePrimer,
    isDefault: boolean,
    folder: string | undefined,
  ) {
    super(primerId, {
      id: `${folder ?? ''}/${uri ?? primerId}`,
      description: problemOr(
        problems,
        isDefault ? l10n.t('default, {0}', description) : description,
      ),
      tooltip: l10n.t('{0}\nversion {1}', description, version),
      icon: usable ? (isDefault ? 'check' : 'paintcan') : 'warning',
      contextValue: 'primer',
      command: {
        title: l10n.t('Open'),
        command: 'writeit.ui.primer.show',
        arguments: [{ primer: primerId }],
      },
    });
    this.primer = primerId;
  }
}

export async function loadPrimers(
  app: App,
  folder: string | undefined,
): Promise<readonly TreeNode[]> {
  const [{ primers }, { stylePrimer }] = await Promise.all([
    app.server.execute('writeit.primer.list', { folder }),
    app.server.execute('writeit.preferences.get', { folder }),
  ]);
  return primers.map((primer) => new PrimerNode(primer, primer.primerId === stylePrimer, folder));
}
