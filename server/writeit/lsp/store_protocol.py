"""Params and results of commands on the store, and on changes, facts, remarks."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from writeit.domain.entity import UtcDatetime
from writeit.lsp import shapes
from writeit.lsp.protocol import AnswerReference, Params
from writeit.lsp.shapes import DocumentUri, WireModel
from writeit.ports.store import SearchPlace
from writeit.text.facts import FactKind


class SearchParams(Params):
    """`writeit.search`: words, beginnings of words (`word*`) and phrases ("two words").

    A text has to have all of them. `uri` is a document that the run is about; `model`
    may lack its provider; `cursor` is the `next` of the page before.
    """

    text: str
    in_: list[SearchPlace] = Field(default=[], alias="in")
    uri: DocumentUri | None = None
    model: str | None = None
    since: UtcDatetime | None = None
    limit: int = Field(default=50, ge=1, le=200)
    cursor: str | None = Field(default=None, pattern=r"^[0-9]{1,18}\.[0-9]{1,9}$")


class WireSearchHit(WireModel):
    """A text that was found; `title` is its run's name or title."""

    run_id: UUID
    step: str | None
    response_id: UUID | None
    in_: SearchPlace = Field(alias="in")
    title: str
    at: datetime
    line: int
    """The line of `uri`, from 0; 0 of a prompt."""
    excerpt: str
    uri: str
    """A page; of an applied text that its page no longer has, the document."""


class SearchResult(WireModel):
    """A page of hits, the texts stored last first; `partial` while some are missing."""

    hits: list[WireSearchHit]
    next: str | None
    partial: bool


class ReviewListParams(Params):
    """`writeit.review.list`: the newest review of each pipeline, of a document."""

    uri: DocumentUri


class ReviewListResult(WireModel):
    """The remarks of a document's reviews."""

    remarks: list[shapes.WireRemark]


class ReviewDismissParams(Params):
    """`writeit.review.dismiss`; with `kind` every remark of its kind is dismissed.

    It holds for all reviews of the document, also for later ones.
    """

    remark_id: str = Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}:\w+$")
    kind: bool = False

    @property
    def run_id(self) -> UUID:
        """The review that has the remark."""
        return UUID(self.remark_id.partition(":")[0])


class ReviewRestoreParams(Params):
    """`writeit.review.restore`; without `remarkId` every dismissal is taken back."""

    run_id: UUID
    remark_id: str | None = None


class UsageShowParams(Params):
    since: UtcDatetime | None = None
    by: Literal["model", "pipeline", "day", "run", "document"] = "model"


class UsageRow(WireModel):
    """What the calls with one key used."""

    key: str
    calls: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None
    unknown_cost_calls: int
    seconds: float


class UsageShowResult(WireModel):
    """Rows by key, and their total."""

    rows: list[UsageRow]
    total: UsageRow


class StoreStatusResult(WireModel):
    """Sizes of a store, in bytes, and counts of its records."""

    path: shapes.PathText
    schema_version: int = Field(validation_alias="schema")
    map_bytes: int
    used_bytes: int
    file_bytes: int
    runs: int
    responses: int
    texts: int
    events: int


class StoreVerifyResult(WireModel):
    """What `verify` checked and found."""

    ok: bool
    checked: int
    problems: list[shapes.WireStoreProblem]


class StoreBackupParams(Params):
    """`writeit.store.backup`: `path` is a new folder inside the workspace."""

    path: str


class StoreBackupResult(WireModel):
    """Where the backup is."""

    uri: str


class StorePruneParams(Params):
    """`writeit.store.prune`; without `before`, finished runs of any age."""

    before: UtcDatetime | None = None
    dry_run: bool = True


class StorePruneResult(WireModel):
    """How much was deleted, or would be."""

    deleted_runs: int
    deleted_responses: int
    dry_run: bool


class DocumentChangesParams(Params):
    uri: DocumentUri


class DocumentChange(WireModel):
    """A changed block of a document that is neither kept nor undone."""

    change: str
    """Its name for `document.keep` and `document.revert`."""
    first_line: int
    """Its first line now, from 0."""
    end_line: int
    """The line after its last; the first line if its text was removed."""
    before: str
    """The text in its place before the apply."""
    run_id: UUID
    step: str


class DocumentChangesResult(WireModel):
    """What applies and polishes changed in a document, in order."""

    changes: list[DocumentChange]
    before: str | None
    """The document as it was before these changes; null if nothing is reviewed."""


class DocumentKeepParams(DocumentChangesParams):
    """`writeit.document.keep` and `writeit.document.revert`; without `change`, all."""

    change: str | None = None


class DocumentKeepResult(WireModel):
    """How many changes were kept."""

    kept: int


class DocumentRevertResult(WireModel):
    """Whether changes were undone; what the user typed in them is kept."""

    applied: bool
    conflicts: int
    """Blocks that were left as they are, because the user edited them."""
    pending: bool
    """Whether the user was typing, so that nothing was undone."""


class FactsCheckParams(Params):
    """`writeit.facts.check`: an open document, or an answer, else a step's text."""

    uri: DocumentUri | None = None
    run_id: UUID | None = None
    step: str | None = None
    response: AnswerReference | None = None


class FactSource(WireModel):
    """A place in the notes; of a fact that they do not have, their nearest passage."""

    uri: str
    range: shapes.Range


class WireFact(WireModel):
    """A fact of a text, and whether its notes have it."""

    text: str
    kind: FactKind
    found: bool
    line: int
    """Its line in the text, from 0."""
    range: shapes.Range | None
    """Its place in a document; null in an answer."""
    source: FactSource | None
    """Null if the notes are no document."""


class FactsCheckResult(WireModel):
    """The facts of a text, in order; none if nothing says what it was made from."""

    facts: list[WireFact]


class FindingParams(Params):
    """`writeit.facts.add`, `writeit.finding.ignore`."""

    uri: DocumentUri
    finding: str
    """Its id, from a code action."""


class FindingFixParams(FindingParams):
    replacement: int = Field(default=0, ge=0)
    """Which of the texts that can stand there, from 0."""


class FactsCorrectParams(Params):
    """`writeit.facts.correct`: of a document or an answer, else of a step's text."""

    run_id: UUID
    step: str | None = None
    uri: DocumentUri | None = None
    response: AnswerReference | None = None


class FindingResult(WireModel):
    """Whether it was done; a text that the user types in stays as it is."""

    applied: bool
    uri: str
    """The document or page that was changed."""
