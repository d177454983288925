// The wire contract, made from docs/protocol.schema.json by `npm run protocol`: do not edit.

export type JsonValue = unknown;
/**
 * The status of a run.
 */
export type PipelineStatus = 'INITIALIZING' | 'RUNNING' | 'PAUSED' | 'COMPLETED' | 'ERROR';
/**
 * The status of a step; it is RUNNING from the first call until the choice.
 */
export type StepStatus = 'PENDING' | 'RUNNING' | 'COMPLETED' | 'SKIPPED';
/**
 * The run with the step completed; with `instruction` the step with an answer.
 */
export type StepMergeResult = PipelineRun | StepState;
export type ErrorData =
  | InvalidParamsData
  | NotFoundData
  | InvalidTransitionData
  | BusyData
  | RetryLimitData
  | InvalidPipelineData
  | ModelErrorData
  | BudgetExceededData
  | StoreErrorData
  | NotTrustedData
  | DocumentChangedData;
export type StreamEvent =
  | StreamStarted
  | StreamDelta
  | StreamThinking
  | StreamThought
  | StreamNotice
  | StreamFinished
  | StreamEnded;

export interface Contract {
  readonly commands: Commands;
  readonly errors: ErrorCodes;
  readonly errorData: ErrorData;
  readonly stream: StreamEvent;
}
export interface Commands {
  readonly 'writeit.pipeline.list': {
    readonly params: PipelineListParams;
    readonly result: PipelineListResult;
  };
  readonly 'writeit.pipeline.show': {
    readonly params: PipelineShowParams;
    readonly result: PipelineConfiguration;
  };
  readonly 'writeit.primer.list': {
    readonly params: Params;
    readonly result: PrimerListResult;
  };
  readonly 'writeit.primer.show': {
    readonly params: PrimerShowParams;
    readonly result: StylePrimer;
  };
  readonly 'writeit.primer.keep': {
    readonly params: StepFeedbackParams;
    readonly result: ViewOpenResult;
  };
  readonly 'writeit.model.list': {
    readonly params: ModelListParams;
    readonly result: ModelListResult;
  };
  readonly 'writeit.model.install': {
    readonly params: ModelInstallParams;
    readonly result: ModelInfo;
  };
  readonly 'writeit.model.add': {
    readonly params: ModelAddParams;
    readonly result: ModelInfo;
  };
  readonly 'writeit.keys.set': {
    readonly params: KeysSetParams;
    readonly result: KeysSetResult;
  };
  readonly 'writeit.keys.list': {
    readonly params: Params;
    readonly result: KeysListResult;
  };
  readonly 'writeit.run.start': {
    readonly params: RunStartParams;
    readonly result: PipelineRun;
  };
  readonly 'writeit.run.show': {
    readonly params: RunParams;
    readonly result: PipelineRun;
  };
  readonly 'writeit.run.list': {
    readonly params: RunListParams;
    readonly result: RunListResult;
  };
  readonly 'writeit.run.tree': {
    readonly params: RunTreeParams;
    readonly result: RunTree;
  };
  readonly 'writeit.run.branch': {
    readonly params: RunBranchParams;
    readonly result: PipelineRun;
  };
  readonly 'writeit.run.rewind': {
    readonly params: RunRewindParams;
    readonly result: PipelineRun;
  };
  readonly 'writeit.run.pause': {
    readonly params: RunParams;
    readonly result: PipelineRun;
  };
  readonly 'writeit.run.resume': {
    readonly params: RunParams;
    readonly result: PipelineRun;
  };
  readonly 'writeit.run.delete': {
    readonly params: RunDeleteParams;
    readonly result: RunDeleteResult;
  };
  readonly 'writeit.run.move': {
    readonly params: RunMoveParams;
    readonly result: RunMoveResult;
  };
  readonly 'writeit.run.stale': {
    readonly params: RunParams;
    readonly result: RunStaleResult;
  };
  readonly 'writeit.run.refresh': {
    readonly params: RunRefreshParams;
    readonly result: PipelineRun;
  };
  readonly 'writeit.run.diff': {
    readonly params: RunDiffParams;
    readonly result: RunDiffResult;
  };
  readonly 'writeit.run.export': {
    readonly params: RunExportParams;
    readonly result: RunExportResult;
  };
  readonly 'writeit.step.preview': {
    readonly params: StepPreviewParams;
    readonly result: StepPreviewResult;
  };
  readonly 'writeit.step.run': {
    readonly params: StepRunParams;
    readonly result: StepState;
  };
  readonly 'writeit.step.regenerate': {
    readonly params: StepRegenerateParams;
    readonly result: StepState;
  };
  readonly 'writeit.step.continue': {
    readonly params: StepContinueParams;
    readonly result: StepState;
  };
  readonly 'writeit.step.select': {
    readonly params: StepSelectParams;
    readonly result: PipelineRun;
  };
  readonly 'writeit.step.take': {
    readonly params: StepTakeParams;
    readonly result: StepState;
  };
  readonly 'writeit.step.draft': {
    readonly params: StepDraftParams;
    readonly result: StepDraftResult;
  };
  readonly 'writeit.step.merge': {
    readonly params: StepMergeParams;
    readonly result: StepMergeResult;
  };
  readonly 'writeit.step.feedback': {
    readonly params: StepFeedbackParams;
    readonly result: StepState;
  };
  readonly 'writeit.step.skip': {
    readonly params: StepParams;
    readonly result: PipelineRun;
  };
  readonly 'writeit.step.apply': {
    readonly params: StepApplyParams;
    readonly result: StepApplyResult;
  };
  readonly 'writeit.edit.restore': {
    readonly params: EditRestoreParams;
    readonly result: EditRestoreResult;
  };
  readonly 'writeit.response.rate': {
    readonly params: ResponseRateParams;
    readonly result: AIResponse;
  };
  readonly 'writeit.response.stop': {
    readonly params: ResponseStopParams;
    readonly result: StepState;
  };
  readonly 'writeit.document.polish': {
    readonly params: DocumentPolishParams;
    readonly result: PipelineRun;
  };
  readonly 'writeit.document.changes': {
    readonly params: DocumentChangesParams;
    readonly result: DocumentChangesResult;
  };
  readonly 'writeit.document.keep': {
    readonly params: DocumentKeepParams;
    readonly result: DocumentKeepResult;
  };
  readonly 'writeit.document.revert': {
    readonly params: DocumentKeepParams;
    readonly result: DocumentRevertResult;
  };
  readonly 'writeit.document.frontMatter': {
    readonly params: DocumentFrontMatterParams;
    readonly result: FrontMatterResult;
  };
  readonly 'writeit.facts.check': {
    readonly params: FactsCheckParams;
    readonly result: FactsCheckResult;
  };
  readonly 'writeit.facts.add': {
    readonly params: FindingParams;
    readonly result: FindingResult;
  };
  readonly 'writeit.facts.correct': {
    readonly params: FactsCorrectParams;
    readonly result: FindingResult;
  };
  readonly 'writeit.finding.fix': {
    readonly params: FindingFixParams;
    readonly result: FindingResult;
  };
  readonly 'writeit.finding.ignore': {
    readonly params: FindingParams;
    readonly result: FindingResult;
  };
  readonly 'writeit.review.list': {
    readonly params: ReviewListParams;
    readonly result: ReviewListResult;
  };
  readonly 'writeit.review.dismiss': {
    readonly params: ReviewDismissParams;
    readonly result: PipelineRun;
  };
  readonly 'writeit.review.restore': {
    readonly params: ReviewRestoreParams;
    readonly result: PipelineRun;
  };
  readonly 'writeit.view.open': {
    readonly params: ViewOpenParams;
    readonly result: ViewOpenResult;
  };
  readonly 'writeit.view.read': {
    readonly params: ViewReadParams;
    readonly result: ViewReadResult;
  };
  readonly 'writeit.session.show': {
    readonly params: Params;
    readonly result: UserSession;
  };
  readonly 'writeit.session.activate': {
    readonly params: RunParams;
    readonly result: UserSession;
  };
  readonly 'writeit.preferences.get': {
    readonly params: Params;
    readonly result: UserPreferences;
  };
  readonly 'writeit.preferences.set': {
    readonly params: PreferencesSetParams;
    readonly result: UserPreferences;
  };
  readonly 'writeit.trust.show': {
    readonly params: Params;
    readonly result: TrustResult;
  };
  readonly 'writeit.trust.set': {
    readonly params: TrustSetParams;
    readonly result: TrustResult;
  };
  readonly 'writeit.search': {
    readonly params: SearchParams;
    readonly result: SearchResult;
  };
  readonly 'writeit.usage.show': {
    readonly params: UsageShowParams;
    readonly result: UsageShowResult;
  };
  readonly 'writeit.store.status': {
    readonly params: Params;
    readonly result: StoreStatusResult;
  };
  readonly 'writeit.store.verify': {
    readonly params: Params;
    readonly result: StoreVerifyResult;
  };
  readonly 'writeit.store.compact': {
    readonly params: Params;
    readonly result: StoreStatusResult;
  };
  readonly 'writeit.store.backup': {
    readonly params: StoreBackupParams;
    readonly result: StoreBackupResult;
  };
  readonly 'writeit.store.prune': {
    readonly params: StorePruneParams;
    readonly result: StorePruneResult;
  };
}
/**
 * `writeit.pipeline.list`.
 */
export interface PipelineListParams {
  readonly folder?: (string | null) | undefined;
  readonly streamToken?: (string | null) | undefined;
  readonly wait?: boolean | undefined;
  readonly uri?: (string | null) | undefined;
}
/**
 * All pipelines of the folder; with `uri`, that document's binding.
 */
export interface PipelineListResult {
  readonly pipelines: readonly PipelineEntry[];
  readonly binding?: (DocumentBinding | null) | undefined;
}
/**
 * An entry of the list of pipelines.
 */
export interface PipelineEntry {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly appliesTo: 'document' | 'selection';
  readonly output: 'new_file' | 'replace' | 'insert' | 'review';
  readonly steps: readonly string[];
  readonly inputs: readonly InputSpec[];
  readonly uri: string;
  readonly problems: readonly Problem[];
  readonly usable: boolean;
}
/**
 * An input of a pipeline, for a form.
 */
export interface InputSpec {
  readonly name: string;
  readonly type: 'text' | 'choice' | 'number' | 'boolean';
  readonly label: string;
  readonly required: boolean;
  readonly default: string | number | boolean | null;
  readonly options: readonly string[];
  readonly help: string;
  readonly maxLength: number | null;
  readonly from: string | null;
}
/**
 * A problem in a file.
 */
export interface Problem {
  readonly uri: string;
  readonly message: string;
  readonly severity: 'error' | 'warning' | 'information';
  readonly range: {
    readonly [k: string]: unknown;
  };
}
/**
 * What a document's front matter sets for a new run.
 */
export interface DocumentBinding {
  readonly pipeline: string | null;
  readonly inputs: {
    readonly [k: string]: string;
  };
}
/**
 * `writeit.pipeline.show`.
 */
export interface PipelineShowParams {
  readonly folder?: (string | null) | undefined;
  readonly streamToken?: (string | null) | undefined;
  readonly wait?: boolean | undefined;
  readonly pipeline: string;
}
/**
 * A pipeline as its file defines it.
 */
export interface PipelineConfiguration {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly created: string;
  readonly appliesTo: 'document' | 'selection';
  readonly output: 'new_file' | 'replace' | 'insert' | 'review';
  readonly defaults: {
    readonly [k: string]: JsonValue;
  };
  readonly inputs: readonly InputSpec[];
  readonly steps: readonly StepSpec[];
}
/**
 * A step of a pipeline.
 */
export interface StepSpec {
  readonly name: string;
  readonly description: string;
  readonly prompt: string;
  readonly models: readonly string[];
  readonly samples: number;
  readonly maxTokens: number | null;
  readonly temperature: number | null;
  readonly primer: boolean;
  readonly choose: 'answer' | 'item';
  readonly reasoning: ('none' | 'low' | 'medium' | 'high') | number | null;
}
/**
 * What every command accepts.
 */
export interface Params {
  readonly folder?: (string | null) | undefined;
  readonly streamToken?: (string | null) | undefined;
  readonly wait?: boolean | undefined;
}
/**
 * All primers of the folder.
 */
export interface PrimerListResult {
  readonly primers: readonly StylePrimer[];
}
/**
 * A primer with its version.
 */
export interface StylePrimer {
  readonly primerId: string;
  readonly version: string;
  readonly name: string;
  readonly description: string;
  readonly content: string;
  readonly voiceAttributes: {
    readonly [k: string]: string;
  };
  readonly exampleOpenings: readonly string[];
  readonly guidelines: {
    readonly [k: string]: readonly string[];
  };
  readonly lint?: readonly LintRule[] | undefined;
  readonly createdAt: string | null;
  readonly lastUsed: string | null;
  readonly versions?: readonly PrimerVersion[] | undefined;
  readonly uri?: (string | null) | undefined;
  readonly problems?: readonly Problem[] | undefined;
  readonly usable?: boolean | undefined;
}
/**
 * Words that an editor marks in a document with a style.
 */
export interface LintRule {
  readonly avoid: readonly string[];
  readonly prefer: readonly string[];
  readonly note: string;
}
/**
 * A stored version of a primer.
 */
export interface PrimerVersion {
  readonly version: string;
  readonly createdAt: string | null;
  readonly lastUsed: string | null;
}
/**
 * `writeit.primer.show`.
 */
export interface PrimerShowParams {
  readonly folder?: (string | null) | undefined;
  readonly streamToken?: (string | null) | undefined;
  readonly wait?: boolean | undefined;
  readonly primer: string;
  readonly version?: (string | null) | undefined;
}
/**
 * `writeit.primer.keep`.
 */
export interface StepFeedbackParams {
  readonly folder?: (string | null) | undefined;
  readonly streamToken?: (string | null) | undefined;
  readonly wait?: boolean | undefined;
  readonly runId: string;
  readonly step?: (string | null) | undefined;
  readonly text: string;
}
/**
 * Where the view is: a `writeit:` URI or the URI of a file.
 */
export interface ViewOpenResult {
  readonly uri: string;
}
/**
 * `writeit.model.list`.
 */
export interface ModelListParams {
  readonly folder?: (string | null) | undefined;
  readonly streamToken?: (string | null) | undefined;
  readonly wait?: boolean | undefined;
  readonly provider?: (string | null) | undefined;
  readonly refresh?: boolean | undefined;
  readonly all?: boolean | undefined;
}
/**
 * The known models.
 */
export interface ModelListResult {
  readonly models: readonly ModelInfo[];
}
/**
 * A model, and why it is unavailable if it is.
 */
export interface ModelInfo {
  readonly id: string;
  readonly provider: string;
  readonly available: boolean;
  readonly reason: string | null;
  readonly contextWindow: number | null;
  readonly inputCostPerToken: number | null;
  readonly outputCostPerToken: number | null;
}
/**
 * `writeit.model.install`.
 */
export interface ModelInstallParams {
  readonly folder?: (string | null) | undefined;
  readonly streamToken?: (string | null) | undefined;
  readonly wait?: boolean | undefined;
  readonly model: string;
}
/**
 * `writeit.model.add`; the key never shows in a representation of this.
 */
export interface ModelAddParams {
  readonly folder?: (string | null) | undefined;
  readonly streamToken?: (string | null) | undefined;
  readonly wait?: boolean | undefined;
  readonly provider: string;
  readonly key?: (string | null) | undefined;
  readonly model: string;
  readonly baseUrl?: (string | null) | undefined;
  readonly default?: boolean | undefined;
}
/**
 * `writeit.keys.set`; the key never shows in a representation of this.
 */
export interface KeysSetParams {
  readonly folder?: (string | null) | undefined;
  readonly streamToken?: (string | null) | undefined;
  readonly wait?: boolean | undefined;
  readonly provider: string;
  readonly key: string;
}
/**
 * Whether the key was stored.
 */
export interface KeysSetResult {
  readonly provider: string;
  readonly stored: boolean;
}
/**
 * The usual providers, and those named in settings and pipelines.
 */
export interface KeysListResult {
  readonly providers: readonly KeyEntry[];
}
/**
 * Where a provider's key comes from; never the key itself.
 */
export interface KeyEntry {
  readonly provider: string;
  readonly source: 'environment' | 'keyring' | 'none';
}
/**
 * `writeit.run.start`.
 */
export interface RunStartParams {
  readonly folder?: (string | null) | undefined;
  readonly streamToken?: (string | null) | undefined;
  readonly wait?: boolean | undefined;
  readonly pipeline: string;
  readonly uri?: (string | null) | undefined;
  readonly range?: (Range | null) | undefined;
  readonly inputs?:
    | {
        readonly [k: string]: string | number | boolean;
      }
    | undefined;
  readonly primer?: (string | null) | undefined;
  readonly models?:
    | {
        readonly [k: string]: readonly string[] | string;
      }
    | undefined;
  readonly samples?: (number | null) | undefined;
  readonly reasoning?: (('none' | 'low' | 'medium' | 'high') | number | null) | undefined;
  readonly output?: (('new_file' | 'replace' | 'insert') | null) | undefined;
  readonly outputPath?: (string | null) | undefined;
  readonly name?: (string | null) | undefined;
  readonly goOn?: boolean | undefined;
  readonly confirmed?: boolean | undefined;
}
/**
 * A range of a document.
 */
export interface Range {
  readonly start: Position;
  readonly end: Position;
}
/**
 * A position in a document, in the negotiated encoding.
 */
export interface Position {
  readonly line: number;
  readonly character: number;
}
/**
 * A run with its steps and answers.
 */
export interface PipelineRun {
  readonly pipelineRunId: string;
  readonly configurationId: string;
  readonly parentPipelineRunId: string | null;
  readonly branchPoint: string | null;
  readonly createdAt: string;
  readonly currentStep: string;
  readonly status: PipelineStatus;
  readonly userInputs: {
    readonly [k: string]: string;
  };
  readonly steps: {
    readonly [k: string]: StepState;
  };
  readonly name: string | null;
  readonly uri: string | null;
  readonly primer: RunPrimer | null;
  readonly models: {
    readonly [k: string]: readonly string[];
  };
  readonly reasoning: ('none' | 'low' | 'medium' | 'high') | number | null;
  readonly samples: number | null;
  readonly lastModels: readonly string[];
  readonly output: 'new_file' | 'replace' | 'insert' | 'review';
  readonly outputPath: string | null;
  readonly isDone: boolean;
  readonly isStreaming: boolean;
  readonly statusText: string;
  readonly label: string;
  readonly costUsd: number | null;
  readonly can: RunPermissions;
  readonly next?: (NextStep | null) | undefined;
  readonly review: Review | null;
  readonly applied?: (StepApplyResult | null) | undefined;
}
/**
 * A step of a run.
 */
export interface StepState {
  readonly stepName: string;
  readonly status: StepStatus;
  readonly startedAt: string | null;
  readonly completedAt: string | null;
  readonly aiResponses: readonly AIResponse[];
  readonly userSelection: number | null;
  readonly userFeedback: string | null;
  readonly mergedContent: string | null;
  readonly retryCount: number;
  readonly content: string | null;
  readonly editedContent: string | null;
  readonly part: ChosenPart | null;
  readonly instruction: string | null;
  readonly passages: readonly Passage[];
  readonly mergedFrom: readonly MergePart[];
  readonly failures: readonly Failure[];
  readonly streaming: readonly Streaming[];
  readonly isDone: boolean;
  readonly can: StepPermissions;
}
/**
 * One model's answer, complete or partial.
 */
export interface AIResponse {
  readonly responseId: string;
  readonly number: number;
  readonly letter: string | null;
  readonly modelName: string;
  readonly provider: string;
  readonly promptUsed: string;
  readonly rawOutput: string;
  readonly processedContent: string;
  readonly createdAt: string;
  readonly usageStats: TokenUsage;
  readonly processingTime: number;
  readonly qualityScore: number | null;
  readonly partial: boolean;
  readonly finishReason: string | null;
  readonly firstTokenSeconds: number | null;
  readonly continues: string | null;
  readonly thinking: string | null;
  readonly notes: readonly string[];
  readonly notInNotes?: (number | null) | undefined;
  readonly againstStyle?: (number | null) | undefined;
}
/**
 * Tokens and cost of a call.
 */
export interface TokenUsage {
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly totalTokens: number;
  readonly costUsd: number | null;
  readonly estimated: boolean;
  readonly reasoningTokens: number | null;
  readonly cachedTokens: number | null;
}
/**
 * The part of an answer that was chosen.
 */
export interface ChosenPart {
  readonly text: string;
  readonly responseId: string;
  readonly item: number | null;
}
/**
 * A passage added to a merge.
 */
export interface Passage {
  readonly passageId: string;
  readonly responseId: string | null;
  readonly text: string;
}
/**
 * A part of a merged text.
 */
export interface MergePart {
  readonly responseId: string | null;
  readonly text: string;
}
/**
 * A call that ended without any text.
 */
export interface Failure {
  readonly responseId: string;
  readonly model: string;
  readonly reason:
    | 'auth'
    | 'forbidden'
    | 'quota'
    | 'rate_limit'
    | 'overloaded'
    | 'timeout'
    | 'context'
    | 'invalid_request'
    | 'unavailable'
    | 'not_running'
    | 'not_installed'
    | 'tls'
    | 'proxy'
    | 'refused'
    | 'moderated'
    | 'malformed'
    | 'empty'
    | 'not_found'
    | 'cancelled';
  readonly message: string;
  readonly usage?: (TokenUsage | null) | undefined;
  readonly number?: (number | null) | undefined;
  readonly letter?: (string | null) | undefined;
}
/**
 * An answer that is streaming, with the text received so far.
 */
export interface Streaming {
  readonly responseId: string;
  readonly number: number;
  readonly letter: string | null;
  readonly model: string;
  readonly text: string;
}
/**
 * The commands that the step allows now.
 */
export interface StepPermissions {
  readonly run: boolean;
  readonly regenerate: boolean;
  readonly select: boolean;
  readonly merge: boolean;
  readonly continue: boolean;
  readonly skip: boolean;
  readonly apply: boolean;
  readonly branch: boolean;
}
/**
 * The primer that a run is pinned to.
 */
export interface RunPrimer {
  readonly primerId: string;
  readonly version: string;
}
/**
 * The commands that the run as a whole allows now.
 */
export interface RunPermissions {
  readonly pause: boolean;
  readonly resume: boolean;
  readonly delete: boolean;
}
/**
 * What followed a decision with `goOn`.
 */
export interface NextStep {
  readonly step: string;
  readonly error: {
    readonly [k: string]: JsonValue;
  } | null;
}
/**
 * The remarks of a review, by their place; dismissed ones, too.
 */
export interface Review {
  readonly remarks: readonly Remark[];
  readonly unread: {
    readonly [k: string]: number;
  };
  readonly dismissedKinds: readonly string[];
}
/**
 * What one or several models remark on a passage of the document.
 */
export interface Remark {
  readonly remarkId: string;
  readonly runId: string;
  readonly responseIds: readonly string[];
  readonly quote: string;
  readonly kind: string;
  readonly remark: string;
  readonly replacement: string | null;
  readonly count: number;
  readonly line: number | null;
  readonly range: Range | null;
  readonly state: 'open' | 'applied' | 'dismissed';
}
/**
 * What happened to a text; a pending one is kept and can be applied again.
 */
export interface StepApplyResult {
  readonly applied: boolean;
  readonly uri: string;
  readonly merged: boolean;
  readonly conflicts: readonly Conflict[];
  readonly pending: boolean;
  readonly reason?:
    (('conflict' | 'container' | 'unfit' | 'typing' | 'declined') | null) | undefined;
}
/**
 * A passage that the user changed as well; `ours` stays.
 */
export interface Conflict {
  readonly base: string;
  readonly ours: string;
  readonly theirs: string;
}
/**
 * A command on a run.
 */
export interface RunParams {
  readonly folder?: (string | null) | undefined;
  readonly streamToken?: (string | null) | undefined;
  readonly wait?: boolean | undefined;
  readonly runId: string;
}
/**
 * `writeit.run.list`.
 */
export interface RunListParams {
  readonly folder?: (string | null) | undefined;
  readonly streamToken?: (string | null) | undefined;
  readonly wait?: boolean | undefined;
  readonly status?: (PipelineStatus | null) | undefined;
  readonly pipeline?: (string | null) | undefined;
  readonly uri?: (string | null) | undefined;
  readonly text?: (string | null) | undefined;
  readonly limit?: number | undefined;
  readonly before?: (string | null) | undefined;
}
/**
 * A page of runs, newest first; `next` is the `before` of the following page.
 */
export interface RunListResult {
  readonly runs: readonly RunSummary[];
  readonly next?: (string | null) | undefined;
}
/**
 * An entry of the list of runs.
 */
export interface RunSummary {
  readonly runId: string;
  readonly name: string | null;
  readonly title: string;
  readonly status: PipelineStatus;
  readonly currentStep: string;
  readonly branchPoint: string | null;
  readonly createdAt: string;
  readonly costUsd: number | null;
  readonly isBlind: boolean;
  readonly isDone: boolean;
  readonly statusText: string;
  readonly label: string;
  readonly passage: string;
  readonly pipeline: string;
  readonly uri: string | null;
  readonly parentRunId: string | null;
  readonly updatedAt: string;
  readonly documentRunId: string | null;
}
/**
 * `writeit.run.tree`; with `depth` the subtree of the run, else its whole tree.
 */
export interface RunTreeParams {
  readonly folder?: (string | null) | undefined;
  readonly streamToken?: (string | null) | undefined;
  readonly wait?: boolean | undefined;
  readonly runId: string;
  readonly depth?: (number | null) | undefined;
}
/**
 * A run with its branches.
 */
export interface RunTree {
  readonly runId: string;
  readonly name: string | null;
  readonly title: string;
  readonly status: PipelineStatus;
  readonly currentStep: string;
  readonly branchPoint: string | null;
  readonly createdAt: string;
  readonly costUsd: number | null;
  readonly isBlind: boolean;
  readonly isDone: boolean;
  readonly statusText: string;
  readonly label: string;
  readonly passage: string;
  readonly deleted: boolean;
  readonly children: readonly RunTree[];
  readonly passages: readonly RunTree[];
  readonly more: boolean;
}
/**
 * `writeit.run.branch`.
 */
export interface RunBranchParams {
  readonly folder?: (string | null) | undefined;
  readonly streamToken?: (string | null) | undefined;
  readonly wait?: boolean | undefined;
  readonly runId: string;
  readonly step: string;
  readonly name?: (string | null) | undefined;
}
/**
 * `writeit.run.rewind`.
 */
export interface RunRewindParams {
  readonly folder?: (string | null) | undefined;
  readonly streamToken?: (string | null) | undefined;
  readonly wait?: boolean | undefined;
  readonly runId: string;
  readonly step: string;
}
/**
 * `writeit.run.delete`.
 */
export interface RunDeleteParams {
  readonly folder?: (string | null) | undefined;
  readonly streamToken?: (string | null) | undefined;
  readonly wait?: boolean | undefined;
  readonly runId: string;
  readonly descendants?: boolean | undefined;
}
/**
 * How much was deleted.
 */
export interface RunDeleteResult {
  readonly deletedRuns: number;
  readonly deletedResponses: number;
}
/**
 * `writeit.run.move`: a file or a folder was renamed; its runs follow it.
 */
export interface RunMoveParams {
  readonly folder?: (string | null) | undefined;
  readonly streamToken?: (string | null) | undefined;
  readonly wait?: boolean | undefined;
  readonly from: string;
  readonly to: string;
}
/**
 * The runs that have the new name of their document now.
 */
export interface RunMoveResult {
  readonly runs: readonly string[];
}
/**
 * The steps that would get another prompt today.
 */
export interface RunStaleResult {
  readonly stale: readonly StaleStep[];
}
/**
 * A step that would get another prompt today.
 */
export interface StaleStep {
  readonly step: string;
  readonly reasons: readonly StaleReason[];
}
/**
 * What has changed: a file, the pipeline, the style primer or an earlier step.
 */
export interface StaleReason {
  readonly kind: 'source' | 'pipeline' | 'primer' | 'step';
  readonly name: string;
}
/**
 * `writeit.run.refresh`; with `goOn` the first step of the branch is generated.
 */
export interface RunRefreshParams {
  readonly folder?: (string | null) | undefined;
  readonly streamToken?: (string | null) | undefined;
  readonly wait?: boolean | undefined;
  readonly runId: string;
  readonly goOn?: boolean | undefined;
  readonly confirmed?: boolean | undefined;
}
/**
 * `writeit.run.diff`.
 */
export interface RunDiffParams {
  readonly folder?: (string | null) | undefined;
  readonly streamToken?: (string | null) | undefined;
  readonly wait?: boolean | undefined;
  readonly left: Side;
  readonly right: Side;
}
/**
 * One side of a comparison; without a response, what the next step receives.
 */
export interface Side {
  readonly runId: string;
  readonly step: string;
  readonly response?: (number | string | null) | undefined;
}
/**
 * The difference of two texts, and where to read each.
 */
export interface RunDiffResult {
  readonly unified: string;
  readonly leftUri: string;
  readonly rightUri: string;
}
/**
 * `writeit.run.export`.
 */
export interface RunExportParams {
  readonly folder?: (string | null) | undefined;
  readonly streamToken?: (string | null) | undefined;
  readonly wait?: boolean | undefined;
  readonly runId: string;
  readonly format?: (('yaml' | 'json' | 'markdown') | null) | undefined;
  readonly path?: (string | null) | undefined;
  readonly includeHistory?: boolean | undefined;
}
/**
 * The exported text, and its file if a path was given.
 */
export interface RunExportResult {
  readonly uri: string | null;
  readonly content: string;
}
/**
 * `writeit.step.preview`.
 */
export interface StepPreviewParams {
  readonly folder?: (string | null) | undefined;
  readonly streamToken?: (string | null) | undefined;
  readonly wait?: boolean | undefined;
  readonly runId: string;
  readonly step?: (string | null) | undefined;
  readonly models?: (readonly string[] | null) | undefined;
}
/**
 * A prompt exactly as it would be sent, and to which models.
 */
export interface StepPreviewResult {
  readonly prompt: string;
  readonly models: readonly PreviewedModel[];
}
/**
 * Whether a prompt fits a model, what it may cost and where it would be sent.
 */
export interface PreviewedModel {
  readonly id: string;
  readonly promptTokens: number;
  readonly contextWindow: number | null;
  readonly fits: boolean | null;
  readonly minCostUsd: number | null;
  readonly maxCostUsd: number | null;
  readonly destination: string;
  readonly allowed: boolean;
}
/**
 * `writeit.step.run`; `instruction` is appended to the prompt.
 */
export interface StepRunParams {
  readonly folder?: (string | null) | undefined;
  readonly streamToken?: (string | null) | undefined;
  readonly wait?: boolean | undefined;
  readonly runId: string;
  readonly step?: (string | null) | undefined;
  readonly models?: (readonly string[] | null) | undefined;
  readonly samples?: (number | null) | undefined;
  readonly reasoning?: (('none' | 'low' | 'medium' | 'high') | number | null) | undefined;
  readonly confirmed?: boolean | undefined;
  readonly instruction?: (string | null) | undefined;
}
/**
 * `writeit.step.regenerate`.
 */
export interface StepRegenerateParams {
  readonly folder?: (string | null) | undefined;
  readonly streamToken?: (string | null) | undefined;
  readonly wait?: boolean | undefined;
  readonly runId: string;
  readonly step?: (string | null) | undefined;
  readonly models?: (readonly string[] | null) | undefined;
  readonly samples?: (number | null) | undefined;
  readonly reasoning?: (('none' | 'low' | 'medium' | 'high') | number | null) | undefined;
  readonly confirmed?: boolean | undefined;
  readonly feedback?: (string | null) | undefined;
}
/**
 * `writeit.step.continue`; one call is made for the rest of one answer.
 */
export interface StepContinueParams {
  readonly folder?: (string | null) | undefined;
  readonly streamToken?: (string | null) | undefined;
  readonly wait?: boolean | undefined;
  readonly runId: string;
  readonly step?: (string | null) | undefined;
  readonly response: number | string;
  readonly samples?: (number | null) | undefined;
  readonly reasoning?: (('none' | 'low' | 'medium' | 'high') | number | null) | undefined;
  readonly confirmed?: boolean | undefined;
}
/**
 * `writeit.step.select`.
 */
export interface StepSelectParams {
  readonly folder?: (string | null) | undefined;
  readonly streamToken?: (string | null) | undefined;
  readonly wait?: boolean | undefined;
  readonly runId: string;
  readonly step?: (string | null) | undefined;
  readonly response: number | string;
  readonly content?: (string | null) | undefined;
  readonly part?: (PartParams | null) | undefined;
  readonly stopOthers?: boolean | undefined;
  readonly feedback?: (string | null) | undefined;
  readonly goOn?: boolean | undefined;
}
/**
 * A part of an answer: its text, or the place of an item of its list, from 1.
 */
export interface PartParams {
  readonly text?: (string | null) | undefined;
  readonly item?: (number | null) | undefined;
}
/**
 * `writeit.step.take`; `response` is an index or an id.
 */
export interface StepTakeParams {
  readonly folder?: (string | null) | undefined;
  readonly streamToken?: (string | null) | undefined;
  readonly wait?: boolean | undefined;
  readonly runId: string;
  readonly step?: (string | null) | undefined;
  readonly response: number | string;
  readonly text: string;
}
/**
 * `writeit.step.draft`; `response`: of an answer; `replaces`: the text before.
 */
export interface StepDraftParams {
  readonly folder?: (string | null) | undefined;
  readonly streamToken?: (string | null) | undefined;
  readonly wait?: boolean | undefined;
  readonly runId: string;
  readonly step?: (string | null) | undefined;
  readonly kind: 'feedback' | 'merge' | 'answer';
  readonly response?: (number | string | null) | undefined;
  readonly text: string;
  readonly replaces?: (string | null) | undefined;
}
/**
 * Whether the text is kept: not a blank one, nor one in conflict with `newer`.
 */
export interface StepDraftResult {
  readonly saved: boolean;
  readonly newer?: (string | null) | undefined;
}
/**
 * `writeit.step.merge`; with `instruction` a model merges the parts.
 */
export interface StepMergeParams {
  readonly folder?: (string | null) | undefined;
  readonly streamToken?: (string | null) | undefined;
  readonly wait?: boolean | undefined;
  readonly runId: string;
  readonly step?: (string | null) | undefined;
  readonly responses?: readonly (number | string)[] | undefined;
  readonly passages?: readonly string[] | undefined;
  readonly content?: (string | null) | undefined;
  readonly instruction?: (string | null) | undefined;
  readonly model?: (string | null) | undefined;
  readonly feedback?: (string | null) | undefined;
  readonly goOn?: boolean | undefined;
  readonly confirmed?: boolean | undefined;
}
/**
 * `writeit.step.skip`; with `goOn` the next step is generated.
 */
export interface StepParams {
  readonly folder?: (string | null) | undefined;
  readonly streamToken?: (string | null) | undefined;
  readonly wait?: boolean | undefined;
  readonly runId: string;
  readonly step?: (string | null) | undefined;
  readonly goOn?: boolean | undefined;
}
/**
 * `writeit.step.apply`; the last completed step if none is named.
 *
 * With `ask` the user is asked first if the run is not finished.
 */
export interface StepApplyParams {
  readonly folder?: (string | null) | undefined;
  readonly streamToken?: (string | null) | undefined;
  readonly wait?: boolean | undefined;
  readonly runId: string;
  readonly step?: (string | null) | undefined;
  readonly ask?: boolean | undefined;
  readonly mode?: (('new_file' | 'replace' | 'insert') | null) | undefined;
  readonly uri?: (string | null) | undefined;
  readonly confirmed?: boolean | undefined;
}
/**
 * `writeit.edit.restore`.
 */
export interface EditRestoreParams {
  readonly folder?: (string | null) | undefined;
  readonly streamToken?: (string | null) | undefined;
  readonly wait?: boolean | undefined;
  readonly runId: string;
  readonly step?: (string | null) | undefined;
  readonly older?: boolean | undefined;
}
/**
 * Whether the document was restored; what was typed since is kept.
 */
export interface EditRestoreResult {
  readonly applied: boolean;
  readonly uri: string;
}
/**
 * `writeit.response.rate`; a null score removes the rating.
 */
export interface ResponseRateParams {
  readonly folder?: (string | null) | undefined;
  readonly streamToken?: (string | null) | undefined;
  readonly wait?: boolean | undefined;
  readonly runId: string;
  readonly step?: (string | null) | undefined;
  readonly response: number | string;
  readonly score: number | null;
}
/**
 * `writeit.response.stop`.
 */
export interface ResponseStopParams {
  readonly folder?: (string | null) | undefined;
  readonly streamToken?: (string | null) | undefined;
  readonly wait?: boolean | undefined;
  readonly runId: string;
  readonly responseId: string;
}
/**
 * `writeit.document.polish`; without a range, the whole body.
 */
export interface DocumentPolishParams {
  readonly folder?: (string | null) | undefined;
  readonly streamToken?: (string | null) | undefined;
  readonly wait?: boolean | undefined;
  readonly uri: string;
  readonly range?: (Range | null) | undefined;
  readonly pipeline?: string | undefined;
  readonly primer?: (string | null) | undefined;
  readonly instruction?: (string | null) | undefined;
  readonly models?: (readonly string[] | null) | undefined;
  readonly samples?: (number | null) | undefined;
  readonly reasoning?: (('none' | 'low' | 'medium' | 'high') | number | null) | undefined;
  readonly apply?: boolean | undefined;
  readonly confirmed?: boolean | undefined;
}
/**
 * `writeit.document.changes`.
 */
export interface DocumentChangesParams {
  readonly folder?: (string | null) | undefined;
  readonly streamToken?: (string | null) | undefined;
  readonly wait?: boolean | undefined;
  readonly uri: string;
}
/**
 * What applies and polishes changed in a document, in order.
 */
export interface DocumentChangesResult {
  readonly changes: readonly DocumentChange[];
  readonly before: string | null;
}
/**
 * A changed block of a document that is neither kept nor undone.
 */
export interface DocumentChange {
  readonly change: string;
  readonly firstLine: number;
  readonly endLine: number;
  readonly before: string;
  readonly runId: string;
  readonly step: string;
}
/**
 * `writeit.document.keep` and `writeit.document.revert`; without `change`, all.
 */
export interface DocumentKeepParams {
  readonly folder?: (string | null) | undefined;
  readonly streamToken?: (string | null) | undefined;
  readonly wait?: boolean | undefined;
  readonly uri: string;
  readonly change?: (string | null) | undefined;
}
/**
 * How many changes were kept.
 */
export interface DocumentKeepResult {
  readonly kept: number;
}
/**
 * Whether changes were undone; what the user typed in them is kept.
 */
export interface DocumentRevertResult {
  readonly applied: boolean;
  readonly conflicts: number;
  readonly pending: boolean;
}
/**
 * `writeit.document.frontMatter`; `inputs` fill what the block lacks.
 */
export interface DocumentFrontMatterParams {
  readonly folder?: (string | null) | undefined;
  readonly streamToken?: (string | null) | undefined;
  readonly wait?: boolean | undefined;
  readonly uri: string;
  readonly pipeline: string;
  readonly inputs?:
    | {
        readonly [k: string]: string | number | boolean;
      }
    | undefined;
}
/**
 * Whether the document has the block now.
 */
export interface FrontMatterResult {
  readonly applied: boolean;
}
/**
 * `writeit.facts.check`: an open document, or an answer, else a step's text.
 */
export interface FactsCheckParams {
  readonly folder?: (string | null) | undefined;
  readonly streamToken?: (string | null) | undefined;
  readonly wait?: boolean | undefined;
  readonly uri?: (string | null) | undefined;
  readonly runId?: (string | null) | undefined;
  readonly step?: (string | null) | undefined;
  readonly response?: (number | string | null) | undefined;
}
/**
 * The facts of a text, in order; none if nothing says what it was made from.
 */
export interface FactsCheckResult {
  readonly facts: readonly Fact[];
}
/**
 * A fact of a text, and whether its notes have it.
 */
export interface Fact {
  readonly text: string;
  readonly kind: 'number' | 'date' | 'quotation' | 'link' | 'code' | 'name';
  readonly found: boolean;
  readonly line: number;
  readonly range: Range | null;
  readonly source: FactSource | null;
}
/**
 * A place in the notes; of a fact that they do not have, their nearest passage.
 */
export interface FactSource {
  readonly uri: string;
  readonly range: Range;
}
/**
 * `writeit.facts.add`, `writeit.finding.ignore`.
 */
export interface FindingParams {
  readonly folder?: (string | null) | undefined;
  readonly streamToken?: (string | null) | undefined;
  readonly wait?: boolean | undefined;
  readonly uri: string;
  readonly finding: string;
}
/**
 * Whether it was done; a text that the user types in stays as it is.
 */
export interface FindingResult {
  readonly applied: boolean;
  readonly uri: string;
}
/**
 * `writeit.facts.correct`: of a document or an answer, else of a step's text.
 */
export interface FactsCorrectParams {
  readonly folder?: (string | null) | undefined;
  readonly streamToken?: (string | null) | undefined;
  readonly wait?: boolean | undefined;
  readonly runId: string;
  readonly step?: (string | null) | undefined;
  readonly uri?: (string | null) | undefined;
  readonly response?: (number | string | null) | undefined;
}
/**
 * `writeit.finding.fix`.
 */
export interface FindingFixParams {
  readonly folder?: (string | null) | undefined;
  readonly streamToken?: (string | null) | undefined;
  readonly wait?: boolean | undefined;
  readonly uri: string;
  readonly finding: string;
  readonly replacement?: number | undefined;
}
/**
 * `writeit.review.list`: the newest review of each pipeline, of a document.
 */
export interface ReviewListParams {
  readonly folder?: (string | null) | undefined;
  readonly streamToken?: (string | null) | undefined;
  readonly wait?: boolean | undefined;
  readonly uri: string;
}
/**
 * The remarks of a document's reviews.
 */
export interface ReviewListResult {
  readonly remarks: readonly Remark[];
}
/**
 * `writeit.review.dismiss`; with `kind` every remark of its kind is dismissed.
 *
 * It holds for all reviews of the document, also for later ones.
 */
export interface ReviewDismissParams {
  readonly folder?: (string | null) | undefined;
  readonly streamToken?: (string | null) | undefined;
  readonly wait?: boolean | undefined;
  readonly remarkId: string;
  readonly kind?: boolean | undefined;
}
/**
 * `writeit.review.restore`; without `remarkId` every dismissal is taken back.
 */
export interface ReviewRestoreParams {
  readonly folder?: (string | null) | undefined;
  readonly streamToken?: (string | null) | undefined;
  readonly wait?: boolean | undefined;
  readonly runId: string;
  readonly remarkId?: (string | null) | undefined;
}
/**
 * `writeit.view.open`.
 */
export interface ViewOpenParams {
  readonly folder?: (string | null) | undefined;
  readonly streamToken?: (string | null) | undefined;
  readonly wait?: boolean | undefined;
  readonly view: 'run' | 'step' | 'response' | 'compare' | 'prompt' | 'usage';
  readonly runId?: (string | null) | undefined;
  readonly step?: (string | null) | undefined;
  readonly responseId?: (string | null) | undefined;
  readonly left?: (ViewSide | null) | undefined;
  readonly right?: (ViewSide | null) | undefined;
  readonly remarkId?: (string | null) | undefined;
}
/**
 * One side of a comparison that is shown.
 *
 * Besides an answer it can be the step's document, as it is or as the text
 * proposes it.
 */
export interface ViewSide {
  readonly runId: string;
  readonly step: string;
  readonly response?: (number | string | ('content' | 'document' | 'proposed') | null) | undefined;
}
/**
 * `writeit.view.read`.
 */
export interface ViewReadParams {
  readonly folder?: (string | null) | undefined;
  readonly streamToken?: (string | null) | undefined;
  readonly wait?: boolean | undefined;
  readonly uri: string;
}
/**
 * A view's markdown, without markers, and its sections in order.
 */
export interface ViewReadResult {
  readonly text: string;
  readonly sections: readonly ViewSection[];
  readonly run?: (PipelineRun | null) | undefined;
  readonly step?: (StepState | null) | undefined;
  readonly answers?: readonly ViewAnswer[] | undefined;
  readonly drafts?:
    | {
        readonly [k: string]: string;
      }
    | undefined;
  readonly choosesItems?: boolean | undefined;
}
/**
 * The place of a text in a view; lines count from 0.
 */
export interface ViewSection {
  readonly kind: 'answer' | 'coming' | 'merge' | 'feedback' | 'left' | 'right';
  readonly responseId: string | null;
  readonly number: number | null;
  readonly index: number | null;
  readonly headingLine: number;
  readonly firstLine: number;
  readonly lastLine: number;
}
/**
 * An answer of a step's page, apart from its text; also of a call without one.
 */
export interface ViewAnswer {
  readonly responseId: string;
  readonly number: number;
  readonly letter: string | null;
  readonly model: string;
  readonly state: 'ended' | 'streaming' | 'failed' | 'queued';
  readonly round: number;
  readonly facts: string;
  readonly note: string;
}
/**
 * One connection of one user.
 */
export interface UserSession {
  readonly sessionId: string;
  readonly userId: string;
  readonly activePipelineRunId: string | null;
  readonly workspacePath: string;
  readonly preferences: UserPreferences;
  readonly createdAt: string;
  readonly lastActivity: string;
  readonly websocketConnectionId: string | null;
}
/**
 * The user's preferences.
 */
export interface UserPreferences {
  readonly models: readonly ModelSamples[];
  readonly defaultModels: {
    readonly [k: string]: string;
  };
  readonly stylePrimer: string | null;
  readonly autoSaveEnabled: boolean;
  readonly streamingBufferSize: number;
  readonly keyboardShortcuts: {
    readonly [k: string]: string;
  };
  readonly theme: string;
  readonly maxConcurrentPipelines: number;
  readonly exportFormat: 'yaml' | 'json' | 'markdown';
}
/**
 * A model, and how many answers it is to give to each step.
 */
export interface ModelSamples {
  readonly model: string;
  readonly samples?: number | undefined;
}
/**
 * `writeit.preferences.set`: any of the fields; the others stay as they are.
 */
export interface PreferencesSetParams {
  readonly folder?: (string | null) | undefined;
  readonly streamToken?: (string | null) | undefined;
  readonly wait?: boolean | undefined;
  readonly models?: (readonly ModelSamples[] | null) | undefined;
  readonly defaultModels?:
    | ({
        readonly [k: string]: string;
      } | null)
    | undefined;
  readonly stylePrimer?: (string | null) | undefined;
  readonly autoSaveEnabled?: (boolean | null) | undefined;
  readonly streamingBufferSize?: (number | null) | undefined;
  readonly keyboardShortcuts?:
    | ({
        readonly [k: string]: string;
      } | null)
    | undefined;
  readonly theme?: (string | null) | undefined;
  readonly maxConcurrentPipelines?: (number | null) | undefined;
  readonly exportFormat?: (('yaml' | 'json' | 'markdown') | null) | undefined;
}
/**
 * Whether a folder is trusted, and what its files name that is not.
 */
export interface TrustResult {
  readonly state: 'trusted' | 'restricted' | 'home';
  readonly wants: readonly Want[];
}
/**
 * One thing that a file of a folder would cause.
 */
export interface Want {
  readonly kind: 'host' | 'model' | 'output' | 'calls' | 'reasoning' | 'file';
  readonly value: string;
  readonly from: string;
}
/**
 * `writeit.trust.set`: true trusts the folder as it is now, or as it was shown.
 */
export interface TrustSetParams {
  readonly folder?: (string | null) | undefined;
  readonly streamToken?: (string | null) | undefined;
  readonly wait?: boolean | undefined;
  readonly trusted: boolean;
}
/**
 * `writeit.search`: words, beginnings of words (`word*`) and phrases ("two words").
 *
 * A text has to have all of them. `uri` is a document that the run is about; `model`
 * may lack its provider; `cursor` is the `next` of the page before.
 */
export interface SearchParams {
  readonly folder?: (string | null) | undefined;
  readonly streamToken?: (string | null) | undefined;
  readonly wait?: boolean | undefined;
  readonly text: string;
  readonly in?: readonly ('prompt' | 'answer' | 'feedback' | 'applied' | 'title')[] | undefined;
  readonly uri?: (string | null) | undefined;
  readonly model?: (string | null) | undefined;
  readonly since?: (string | null) | undefined;
  readonly limit?: number | undefined;
  readonly cursor?: (string | null) | undefined;
}
/**
 * A page of hits, the texts stored last first; `partial` while some are missing.
 */
export interface SearchResult {
  readonly hits: readonly SearchHit[];
  readonly next: string | null;
  readonly partial: boolean;
}
/**
 * A text that was found; `title` is its run's name or title.
 */
export interface SearchHit {
  readonly runId: string;
  readonly step: string | null;
  readonly responseId: string | null;
  readonly in: 'prompt' | 'answer' | 'feedback' | 'applied' | 'title';
  readonly title: string;
  readonly at: string;
  readonly line: number;
  readonly excerpt: string;
  readonly uri: string;
}
/**
 * `writeit.usage.show`.
 */
export interface UsageShowParams {
  readonly folder?: (string | null) | undefined;
  readonly streamToken?: (string | null) | undefined;
  readonly wait?: boolean | undefined;
  readonly since?: (string | null) | undefined;
  readonly by?: ('model' | 'pipeline' | 'day' | 'run' | 'document') | undefined;
}
/**
 * Rows by key, and their total.
 */
export interface UsageShowResult {
  readonly rows: readonly UsageRow[];
  readonly total: UsageRow;
}
/**
 * What the calls with one key used.
 */
export interface UsageRow {
  readonly key: string;
  readonly calls: number;
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly costUsd: number | null;
  readonly unknownCostCalls: number;
  readonly seconds: number;
}
/**
 * Sizes of a store, in bytes, and counts of its records.
 */
export interface StoreStatusResult {
  readonly path: string;
  readonly schemaVersion: number;
  readonly mapBytes: number;
  readonly usedBytes: number;
  readonly fileBytes: number;
  readonly runs: number;
  readonly responses: number;
  readonly texts: number;
  readonly events: number;
}
/**
 * What `verify` checked and found.
 */
export interface StoreVerifyResult {
  readonly ok: boolean;
  readonly checked: number;
  readonly problems: readonly StoreProblem[];
}
/**
 * A problem that `verify` found.
 */
export interface StoreProblem {
  readonly key: string;
  readonly message: string;
}
/**
 * `writeit.store.backup`: `path` is a new folder inside the workspace.
 */
export interface StoreBackupParams {
  readonly folder?: (string | null) | undefined;
  readonly streamToken?: (string | null) | undefined;
  readonly wait?: boolean | undefined;
  readonly path: string;
}
/**
 * Where the backup is.
 */
export interface StoreBackupResult {
  readonly uri: string;
}
/**
 * `writeit.store.prune`; without `before`, finished runs of any age.
 */
export interface StorePruneParams {
  readonly folder?: (string | null) | undefined;
  readonly streamToken?: (string | null) | undefined;
  readonly wait?: boolean | undefined;
  readonly before?: (string | null) | undefined;
  readonly dryRun?: boolean | undefined;
}
/**
 * How much was deleted, or would be.
 */
export interface StorePruneResult {
  readonly deletedRuns: number;
  readonly deletedResponses: number;
  readonly dryRun: boolean;
}
export interface ErrorCodes {
  readonly invalid_params: -32602;
  readonly not_found: -32010;
  readonly invalid_transition: -32011;
  readonly busy: -32012;
  readonly retry_limit: -32013;
  readonly invalid_pipeline: -32014;
  readonly model_error: -32015;
  readonly budget_exceeded: -32016;
  readonly store_error: -32017;
  readonly not_trusted: -32018;
  readonly document_changed: -32019;
}
/**
 * Params are missing, unknown, of the wrong type or out of bounds.
 */
export interface InvalidParamsData {
  readonly message: string;
  readonly hint: string;
  readonly kind: 'invalid_params';
  readonly problems?: readonly ParamProblem[] | undefined;
  readonly [k: string]: unknown;
}
/**
 * A problem with one of the params.
 */
export interface ParamProblem {
  readonly path: string;
  readonly message: string;
}
/**
 * No such run, step, response, pipeline, primer or model; the hint names some.
 */
export interface NotFoundData {
  readonly message: string;
  readonly hint: string;
  readonly kind: 'not_found';
  readonly failures?: readonly Failure[] | undefined;
  readonly [k: string]: unknown;
}
/**
 * The state of the run or the step does not allow the command.
 */
export interface InvalidTransitionData {
  readonly message: string;
  readonly hint: string;
  readonly kind: 'invalid_transition';
  readonly state: string;
  readonly attempted: string;
  readonly allowed: readonly string[];
  readonly [k: string]: unknown;
}
/**
 * Answers are already streaming.
 */
export interface BusyData {
  readonly message: string;
  readonly hint: string;
  readonly kind: 'busy';
  readonly runId?: (string | null) | undefined;
  readonly pid?: (number | null) | undefined;
  readonly sessionId?: (string | null) | undefined;
  readonly [k: string]: unknown;
}
/**
 * A step has no regenerations left.
 */
export interface RetryLimitData {
  readonly message: string;
  readonly hint: string;
  readonly kind: 'retry_limit';
  readonly [k: string]: unknown;
}
/**
 * A pipeline's file, a template or a document's front matter has problems.
 */
export interface InvalidPipelineData {
  readonly message: string;
  readonly hint: string;
  readonly kind: 'invalid_pipeline';
  readonly problems?: readonly (Problem | TemplateProblem)[] | undefined;
  readonly [k: string]: unknown;
}
/**
 * A problem in a step's template; lines and columns count from 0.
 */
export interface TemplateProblem {
  readonly message: string;
  readonly step: string;
  readonly line: number;
  readonly column: number;
}
/**
 * A provider or the model host failed.
 */
export interface ModelErrorData {
  readonly message: string;
  readonly hint: string;
  readonly kind: 'model_error';
  readonly reason:
    | 'auth'
    | 'forbidden'
    | 'quota'
    | 'rate_limit'
    | 'overloaded'
    | 'timeout'
    | 'context'
    | 'invalid_request'
    | 'unavailable'
    | 'not_running'
    | 'not_installed'
    | 'tls'
    | 'proxy'
    | 'refused'
    | 'moderated'
    | 'malformed'
    | 'empty'
    | 'not_found'
    | 'cancelled';
  readonly provider?: (string | null) | undefined;
  readonly model?: (string | null) | undefined;
  readonly failures?: readonly Failure[] | undefined;
  readonly retryAfter?: (number | null) | undefined;
  readonly status?: (number | null) | undefined;
  readonly destination?: (string | null) | undefined;
  readonly promptTokens?: (number | null) | undefined;
  readonly contextWindow?: (number | null) | undefined;
  readonly host?: (boolean | null) | undefined;
  readonly [k: string]: unknown;
}
/**
 * The next calls could cost more than allowed; nothing was sent. In US dollars.
 */
export interface BudgetExceededData {
  readonly message: string;
  readonly hint: string;
  readonly kind: 'budget_exceeded';
  readonly scope?: (('run' | 'day') | null) | undefined;
  readonly spent?: (number | null) | undefined;
  readonly limit?: (number | null) | undefined;
  readonly estimate?: (number | null) | undefined;
  readonly streaming?: (number | null) | undefined;
  readonly calls?: (number | null) | undefined;
  readonly unknown?: readonly string[] | undefined;
  readonly confirm?: (string | null) | undefined;
  readonly [k: string]: unknown;
}
/**
 * The store, a file or the keyring cannot be read or written.
 */
export interface StoreErrorData {
  readonly message: string;
  readonly hint: string;
  readonly kind: 'store_error';
  readonly reason: string;
  readonly [k: string]: unknown;
}
/**
 * Refused because of its source or its destination.
 */
export interface NotTrustedData {
  readonly message: string;
  readonly hint: string;
  readonly kind: 'not_trusted';
  readonly path?: (string | null) | undefined;
  readonly provider?: (string | null) | undefined;
  readonly providers?: readonly string[] | undefined;
  readonly wants?: readonly Want[] | undefined;
  readonly calls?: (number | null) | undefined;
  readonly maxCostUsd?: (number | null) | undefined;
  readonly confirm?: (string | null) | undefined;
  readonly [k: string]: unknown;
}
/**
 * The document, or the passage in it, is gone; the text is kept.
 */
export interface DocumentChangedData {
  readonly message: string;
  readonly hint: string;
  readonly kind: 'document_changed';
  readonly uri?: (string | null) | undefined;
  readonly keptAt?: (string | null) | undefined;
  readonly [k: string]: unknown;
}
/**
 * The first event: the calls of a step, in order.
 */
export interface StreamStarted {
  readonly kind: 'started';
  readonly runId: string;
  readonly step: string;
  readonly responses: readonly StartedResponse[];
}
/**
 * A call that was made.
 */
export interface StartedResponse {
  readonly responseId: string;
  readonly number: number;
  readonly letter: string | null;
  readonly model: string;
}
/**
 * The next piece of an answer; the pieces joined are its `rawOutput`, exactly.
 */
export interface StreamDelta {
  readonly kind: 'delta';
  readonly responseId: string;
  readonly seq: number;
  readonly text: string;
  readonly thinking?: (boolean | null) | undefined;
}
/**
 * A model is thinking before it goes on with its text; at most once a second.
 */
export interface StreamThinking {
  readonly kind: 'thinking';
  readonly responseId: string;
  readonly seconds: number;
  readonly tokens: number | null;
}
/**
 * All text of an answer before `upTo` was a thought; show it as one.
 */
export interface StreamThought {
  readonly kind: 'thought';
  readonly responseId: string;
  readonly upTo: number;
}
/**
 * A message to show while the user waits.
 */
export interface StreamNotice {
  readonly kind: 'notice';
  readonly responseId: string | null;
  readonly code:
    'retrying' | 'rateLimited' | 'queued' | 'unknownCost' | 'moreRoom' | 'parameterDropped';
  readonly title: string;
  readonly message: string;
  readonly retryAfter: number | null;
}
/**
 * An answer ended; nothing of it follows.
 */
export interface StreamFinished {
  readonly kind: 'finished';
  readonly responseId: string;
  readonly number: number;
  readonly index: number | null;
  readonly status: 'complete' | 'partial' | 'failed';
  readonly usage: TokenUsage | null;
  readonly finishReason: string | null;
  readonly error: FinishedError | null;
}
/**
 * Why an answer is partial or failed.
 */
export interface FinishedError {
  readonly reason:
    | 'auth'
    | 'forbidden'
    | 'quota'
    | 'rate_limit'
    | 'overloaded'
    | 'timeout'
    | 'context'
    | 'invalid_request'
    | 'unavailable'
    | 'not_running'
    | 'not_installed'
    | 'tls'
    | 'proxy'
    | 'refused'
    | 'moderated'
    | 'malformed'
    | 'empty'
    | 'not_found'
    | 'cancelled';
  readonly message: string | null;
}
/**
 * The last event, only for a command with `wait: false`: it has no later reply.
 */
export interface StreamEnded {
  readonly kind: 'ended';
  readonly runId: string;
  readonly step: string;
  readonly error?:
    | (
        | (
            | InvalidParamsData
            | NotFoundData
            | InvalidTransitionData
            | BusyData
            | RetryLimitData
            | InvalidPipelineData
            | ModelErrorData
            | BudgetExceededData
            | StoreErrorData
            | NotTrustedData
            | DocumentChangedData
          )
        | null
      )
    | undefined;
}
/**
 * `writeit/changed`: runs changed, here or in another process.
 */
export interface ChangedParams {
  readonly runIds: readonly string[];
  readonly views: readonly string[];
}
/**
 * `initializationOptions.writeit`; unknown keys are ignored.
 */
export interface ClientOptions {
  readonly views?: ('uri' | null) | undefined;
  readonly events?: boolean | undefined;
  readonly trusted?: (boolean | null) | undefined;
  readonly languageModels?: boolean | undefined;
  readonly token?: (string | null) | undefined;
  readonly user?: (UserConfig | null) | undefined;
}
/**
 * The user's own configuration, which no workspace or document can set.
 */
export interface UserConfig {
  readonly storeLocation?: string | undefined;
  readonly ollamaUrl?: (string | null) | undefined;
  readonly models?: DefaultModels | undefined;
  readonly defaultModel?: (string | null) | undefined;
  readonly baseUrls?:
    | {
        readonly [k: string]: string;
      }
    | undefined;
}
/**
 * The models of every step for which nothing else names any.
 */
export interface DefaultModels {
  readonly default?: readonly DefaultModel[] | undefined;
}
/**
 * A default model, which may be named by its id alone.
 */
export interface DefaultModel {
  readonly model: string;
  readonly samples?: number | undefined;
}
/**
 * US dollars that may be spent; None for no limit.
 */
export interface CostLimits {
  readonly run?: (number | null) | undefined;
  readonly day?: (number | null) | undefined;
  readonly unknown?: ('refuse' | 'allow') | undefined;
}
/**
 * A model of the client; its id for WriteIt is `vscode/<vendor>/<family>`.
 */
export interface LanguageModel {
  readonly id: string;
  readonly vendor: string;
  readonly family: string;
  readonly maxInputTokens?: (number | null) | undefined;
}
/**
 * `writeit/lm/delta`: the next piece of an answer, in any order.
 */
export interface LanguageModelDelta {
  readonly requestId: string;
  readonly seq: number;
  readonly text: string;
}
/**
 * `writeit/lm/request`: the prompt for a model, as a single user message.
 */
export interface LanguageModelRequest {
  readonly requestId: string;
  readonly model: string;
  readonly vendor: string;
  readonly prompt: string;
  readonly maxTokens?: (number | null) | undefined;
  readonly temperature?: (number | null) | undefined;
  readonly reasoning?: (('none' | 'low' | 'medium' | 'high') | number | null) | undefined;
}
/**
 * The end of an answer; all of its deltas were sent before.
 */
export interface LanguageModelResult {
  readonly finishReason: 'stop' | 'length' | 'content_filter' | 'refused' | 'context';
  readonly usage?: (LanguageModelUsage | null) | undefined;
}
/**
 * Tokens of a call, as the client counted them.
 */
export interface LanguageModelUsage {
  readonly promptTokens: number;
  readonly completionTokens: number;
}
/**
 * The models to use if no front matter, pipeline or command names any.
 */
export interface ModelSettings {
  readonly default?: readonly string[] | undefined;
  readonly steps?:
    | {
        readonly [k: string]: readonly string[];
      }
    | undefined;
  readonly timeout?: (number | null) | undefined;
}
/**
 * The editor's section `writeit`. A setting takes precedence over a preference.
 */
export interface Settings {
  readonly models?: ModelSettings | undefined;
  readonly maxCostUsd?: CostLimits | undefined;
  readonly maxConcurrentPipelines?: (number | null) | undefined;
  readonly streamingBufferSize?: (number | null) | undefined;
  readonly stylePrimer?: (string | null) | undefined;
  readonly exportFormat?: (('yaml' | 'json' | 'markdown') | null) | undefined;
  readonly codeLens?: Toggle | undefined;
  readonly facts?: Toggle1 | undefined;
  readonly primerLint?: Toggle2 | undefined;
  readonly output?: (('new_file' | 'replace' | 'insert') | null) | undefined;
  readonly reasoning?: (('none' | 'low' | 'medium' | 'high') | number | null) | undefined;
  readonly blind?: boolean | undefined;
}
/**
 * Something that can be switched off.
 */
export interface Toggle {
  readonly enabled?: boolean | undefined;
}
/**
 * Something that can be switched off.
 */
export interface Toggle1 {
  readonly enabled?: boolean | undefined;
}
/**
 * Something that can be switched off.
 */
export interface Toggle2 {
  readonly enabled?: boolean | undefined;
}

export type CommandName = keyof Commands;
export type ErrorKind = keyof ErrorCodes;
