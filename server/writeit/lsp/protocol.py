"""The params and the result of each command, by noun.

Field names are camelCase on the wire; the keys of maps are data and stay as they are.
The JSON Schema, `docs/commands.md` and `protocol.ts` are generated from this file.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import Field, RootModel, SecretStr, model_validator

from writeit.domain.pipeline import Output, Reasoning
from writeit.domain.run import PipelineStatus
from writeit.domain.session import ExportFormat
from writeit.lsp import library_shapes, list_shapes, shapes
from writeit.lsp.shapes import DocumentUri, Range, WireModel
from writeit.trust_record import Decision

AnswerReference = Annotated[int, Field(ge=0)] | UUID
"""An answer by its index in `aiResponses`, or its id."""


class Params(WireModel):
    """What every command accepts."""

    folder: str | None = None
    stream_token: str | None = None
    wait: bool = True


class RunParams(Params):
    """A command on a run."""

    run_id: UUID


class NamedStepParams(RunParams):
    """A command on a step; the current step if none is named."""

    step: str | None = None


class StepParams(NamedStepParams):
    """`writeit.step.skip`; with `goOn` the next step is generated."""

    go_on: bool = False


class EditRestoreParams(NamedStepParams):
    """`writeit.edit.restore`."""

    older: bool = False
    """If nothing of the run's polished passage is left in its document, restore the
    newest of those applied before it."""


class Accepted(WireModel):
    """The reply to a command with `wait: false`."""

    run_id: UUID | None = None
    step: str | None = None


class PipelineListParams(Params):
    uri: str | None = None


class PipelineListResult(WireModel):
    """All pipelines of the folder; with `uri`, that document's binding."""

    pipelines: list[library_shapes.PipelineEntry]
    binding: library_shapes.DocumentBinding | None = None


class PipelineShowParams(Params):
    pipeline: str


class PrimerListResult(WireModel):
    """All primers of the folder."""

    primers: list[library_shapes.WireStylePrimer]


class PrimerShowParams(Params):
    primer: str
    version: str | None = None


class ModelListParams(Params):
    provider: str | None = None
    refresh: bool = False
    all: bool = False


class ModelListResult(WireModel):
    """The known models."""

    models: list[library_shapes.WireModelInfo]


class ModelAddParams(Params):
    """`writeit.model.add`; the key never shows in a representation of this."""

    provider: str = Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")
    key: SecretStr | None = None
    model: str = Field(min_length=1)
    base_url: str | None = None
    default: bool = True


class ModelInstallParams(Params):
    model: str


class KeysSetParams(Params):
    """`writeit.keys.set`; the key never shows in a representation of this."""

    provider: str = Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")
    key: SecretStr


class KeysSetResult(WireModel):
    """Whether the key was stored."""

    provider: str
    stored: bool


class KeysListResult(WireModel):
    """The usual providers, and those named in settings and pipelines."""

    providers: list[library_shapes.KeyEntry]


class RunStartParams(Params):
    pipeline: str
    uri: DocumentUri | None = None
    range: Range | None = None
    inputs: dict[str, str | int | float | bool] = Field(default_factory=dict)
    primer: str | None = None
    models: dict[str, list[str] | str] = Field(default_factory=dict)
    samples: int | None = Field(default=None, ge=1, le=10)
    reasoning: Reasoning | None = None
    output: Output | None = None
    output_path: str | None = None
    name: str | None = None
    go_on: bool = False
    """Then the first step is generated."""
    confirmed: bool = False


class RunListParams(Params):
    status: PipelineStatus | None = None
    pipeline: str | None = None
    uri: DocumentUri | None = None
    text: str | None = None
    limit: int = Field(default=50, ge=1, le=1000)
    before: UUID | None = None


class RunListResult(WireModel):
    """A page of runs, newest first; `next` is the `before` of the following page."""

    runs: list[list_shapes.WireRunSummary]
    next: UUID | None = None


class RunTreeParams(RunParams):
    """`writeit.run.tree`; with `depth` the subtree of the run, else its whole tree."""

    depth: int | None = Field(default=None, ge=0, le=100)


class RunStaleResult(WireModel):
    """The steps that would get another prompt today."""

    stale: list[list_shapes.WireStaleStep]


class RunRefreshParams(RunParams):
    """`writeit.run.refresh`; with `goOn` the first step of the branch is generated."""

    go_on: bool = False
    confirmed: bool = False


class RunMoveParams(Params):
    """`writeit.run.move`: a file or a folder was renamed; its runs follow it."""

    from_uri: DocumentUri = Field(alias="from")
    to_uri: DocumentUri = Field(alias="to")


class RunMoveResult(WireModel):
    """The runs that have the new name of their document now."""

    runs: list[UUID]


class RunRewindParams(RunParams):
    step: str


class RunBranchParams(RunRewindParams):
    name: str | None = None


class RunDeleteParams(RunParams):
    descendants: bool = False


class RunDeleteResult(WireModel):
    """How much was deleted."""

    deleted_runs: int
    deleted_responses: int


class Side(WireModel):
    """One side of a comparison; without a response, what the next step receives."""

    run_id: UUID
    step: str
    response: int | UUID | None = None


class ViewSide(WireModel):
    """One side of a comparison that is shown.

    Besides an answer it can be the step's document, as it is or as the text
    proposes it.
    """

    run_id: UUID
    step: str
    response: int | UUID | Literal["content", "document", "proposed"] | None = None


class RunDiffParams(Params):
    left: Side
    right: Side


class RunDiffResult(WireModel):
    """The difference of two texts, and where to read each."""

    unified: str
    left_uri: str
    right_uri: str


class RunExportParams(RunParams):
    format: ExportFormat | None = None
    path: str | None = None
    include_history: bool = True


class RunExportResult(WireModel):
    """The exported text, and its file if a path was given."""

    uri: str | None
    content: str


class StepPreviewParams(NamedStepParams):
    models: list[str] | None = Field(default=None, min_length=1)


class StepPreviewResult(WireModel):
    """A prompt exactly as it would be sent, and to which models."""

    prompt: str
    models: list[library_shapes.PreviewedModel]


class StepGenerationParams(StepPreviewParams):
    """Which models are called, and how."""

    samples: int | None = Field(default=None, ge=1, le=10)
    reasoning: Reasoning | None = None
    confirmed: bool = False


class StepRunParams(StepGenerationParams):
    """`writeit.step.run`; `instruction` is appended to the prompt."""

    instruction: str | None = None


class StepRegenerateParams(StepGenerationParams):
    feedback: str | None = None


class PartParams(WireModel):
    """A part of an answer: its text, or the place of an item of its list, from 1."""

    text: str | None = None
    item: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _check_one(self) -> Self:
        if (self.text is None) == (self.item is None):
            raise ValueError("takes either text or item")
        return self


class StepContinueParams(NamedStepParams):
    """`writeit.step.continue`; one call is made for the rest of one answer."""

    response: AnswerReference
    samples: int | None = Field(default=None, ge=1, le=1)
    reasoning: Reasoning | None = None
    confirmed: bool = False


class StepSelectParams(NamedStepParams):
    response: AnswerReference
    content: str | None = None
    part: PartParams | None = None
    """Not together with `content`."""
    stop_others: bool = False
    """Whether what still streams is stopped first, and kept as it is."""
    feedback: str | None = None
    go_on: bool = False
    """Then the next step is generated, or the text of the last one applied."""


class ResponseRateParams(NamedStepParams):
    """`writeit.response.rate`; a null score removes the rating."""

    response: AnswerReference
    score: float | None = Field(ge=0, le=1)


class ResponseStopParams(RunParams):
    response_id: UUID


class StepTakeParams(NamedStepParams):
    """`writeit.step.take`; `response` is an index or an id."""

    response: int | UUID
    text: str


class StepDraftParams(NamedStepParams):
    """`writeit.step.draft`; `response`: of an answer; `replaces`: the text before."""

    kind: Literal["feedback", "merge", "answer"]
    response: int | UUID | None = None
    text: str
    replaces: str | None = None


class StepDraftResult(WireModel):
    """Whether the text is kept: not a blank one, nor one in conflict with `newer`."""

    saved: bool
    newer: str | None = None


class StepMergeParams(NamedStepParams):
    """`writeit.step.merge`; with `instruction` a model merges the parts."""

    responses: list[int | UUID] = Field(default_factory=list)
    passages: list[UUID] = Field(default_factory=list)
    content: str | None = None
    instruction: str | None = Field(default=None, min_length=1)
    model: str | None = None
    feedback: str | None = None
    go_on: bool = False
    """As for `step.select`; not together with `instruction`."""
    confirmed: bool = False


class StepMergeResult(RootModel[shapes.WirePipelineRun | shapes.WireStepState]):
    """The run with the step completed; with `instruction` the step with an answer."""


class StepFeedbackParams(NamedStepParams):
    text: str


class StepApplyParams(NamedStepParams):
    """`writeit.step.apply`; the last completed step if none is named.

    With `ask` the user is asked first if the run is not finished.
    """

    ask: bool = False
    mode: Output | None = None
    uri: DocumentUri | None = None
    confirmed: bool = False


class EditRestoreResult(WireModel):
    """Whether the document was restored; what was typed since is kept."""

    applied: bool
    uri: str


class DocumentPolishParams(Params):
    """`writeit.document.polish`; without a range, the whole body."""

    uri: DocumentUri
    range: Range | None = None
    pipeline: str = "polish-passage"
    primer: str | None = None
    instruction: str | None = None
    models: list[str] | None = Field(default=None, min_length=1)
    samples: int | None = Field(default=None, ge=1, le=10)
    reasoning: Reasoning | None = None
    apply: bool = False
    confirmed: bool = False


class DocumentFrontMatterParams(Params):
    """`writeit.document.frontMatter`; `inputs` fill what the block lacks."""

    uri: DocumentUri
    pipeline: str
    inputs: dict[str, str | int | float | bool] = Field(default_factory=dict)


class FrontMatterResult(WireModel):
    """Whether the document has the block now."""

    applied: bool


class ViewOpenParams(Params):
    view: Literal["run", "step", "response", "compare", "prompt", "usage"]
    run_id: UUID | None = None
    step: str | None = None
    response_id: UUID | None = None
    left: ViewSide | None = None
    right: ViewSide | None = None
    remark_id: str | None = None
    """On the page of a review's step, the remark to show."""


class ViewOpenResult(WireModel):
    """Where the view is: a `writeit:` URI or the URI of a file."""

    uri: str


class ViewReadParams(Params):
    uri: str


class ViewReadResult(WireModel):
    """A view's markdown, without markers, and its sections in order."""

    text: str
    sections: list[shapes.ViewSection]
    run: shapes.WirePipelineRun | None = None
    """The run that the view is about; null for usage."""
    step: shapes.WireStepState | None = None
    """The step that the view is about; null for a run and usage."""
    answers: list[shapes.ViewAnswer] = Field(default_factory=list)
    """The answers of a step's page, the newest round first."""
    drafts: dict[str, str] = Field(default_factory=dict)
    """What the user typed and no decision has taken: `merge`, `feedback`, answers."""
    chooses_items: bool = False
    """Whether items of the answers' lists are chosen, not whole answers."""


class PreferencesSetParams(Params):
    """`writeit.preferences.set`: any of the fields; the others stay as they are."""

    models: list[library_shapes.WireModelSamples] | None = None
    default_models: dict[str, str] | None = None
    style_primer: str | None = None
    auto_save_enabled: bool | None = None
    streaming_buffer_size: int | None = None
    keyboard_shortcuts: dict[str, str] | None = None
    theme: str | None = None
    max_concurrent_pipelines: int | None = None
    export_format: ExportFormat | None = None


class TrustSetParams(Params):
    """`writeit.trust.set`: true trusts the folder as it is now, or as it was shown."""

    trusted: bool


class TrustResult(WireModel):
    """Whether a folder is trusted, and what its files name that is not."""

    state: Decision
    wants: list[library_shapes.WireWant]
