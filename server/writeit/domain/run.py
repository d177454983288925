"""Runs, their steps, and the answers of models."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import ClassVar, Self
from urllib.parse import unquote
from uuid import UUID

from pydantic import Field, model_validator

from writeit.domain.answer import AIResponse, Call, ResponseFailure, StreamingResponse
from writeit.domain.document import RunDocument
from writeit.domain.entity import (
    Entity,
    GrowingEntity,
    Name,
    UtcDatetime,
    total_cost,
)
from writeit.domain.pipeline import Output, Reasoning, RunOutput
from writeit.domain.primer import RunPrimer
from writeit.domain.remarks import Dismissal
from writeit.text.block_reader import list_items, split_paragraphs
from writeit.text.lines import first_words, fold_space, stand_in

MAX_WORDS_DIGITS = 5
"""A longer number is no target for the words of a text."""


class PipelineStatus(StrEnum):
    """The status of a run."""

    INITIALIZING = "INITIALIZING"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    COMPLETED = "COMPLETED"
    ERROR = "ERROR"


class StepStatus(StrEnum):
    """The status of a step; it is RUNNING from the first call until the choice."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    SKIPPED = "SKIPPED"


DONE_STATUSES = (StepStatus.COMPLETED, StepStatus.SKIPPED)


class Passage(Entity):
    """A passage of an answer, or of the user's own, that was added to the merge."""

    passage_id: UUID
    response_id: UUID | None
    """None for words that do not stand in the answer: they are the user's own."""
    text: str = Field(min_length=1)

    @property
    def own_words(self) -> bool:
        """Whether the words are the user's own."""
        return self.response_id is None


class MergePart(Entity):
    """A part of a merged text; `response_id` is None for the user's own words."""

    response_id: UUID | None
    text: str


class ChosenPart(Entity):
    """The part of an answer that the user chose, unchanged."""

    text: str
    response_id: UUID
    item: int | None
    """Its place in the answer's list, from 1."""


MAX_RETRIES = 3
"""Retry count cannot exceed system maximum (3)."""


class PreviousStepState(Entity):
    """The state before a regeneration, restored if the regeneration fails."""

    status: StepStatus
    completed_at: UtcDatetime | None
    user_selection: int | None
    user_feedback: str | None
    edited_content: str | None
    merged_content: str | None
    merged_from: tuple[MergePart, ...]
    retry_count: int
    run_status: PipelineStatus


class StepState(GrowingEntity):
    """Tracks execution state and results for a single pipeline step."""

    ADDED: ClassVar[frozenset[str]] = frozenset({"instruction", "failed_cost_usd"})

    step_name: Name
    status: StepStatus = StepStatus.PENDING
    started_at: UtcDatetime | None = None
    completed_at: UtcDatetime | None = None
    ai_responses: tuple[AIResponse, ...] = ()
    """Answers with text, in the order they ended."""
    user_selection: int | None = Field(default=None, ge=0)
    user_feedback: str | None = None
    merged_content: str | None = None
    retry_count: int = Field(default=0, ge=0, le=MAX_RETRIES)
    edited_content: str | None = None
    """The chosen answer as edited by the user."""
    instruction: str | None = None
    """The user's words for the models, in each prompt of the step."""
    ratings: dict[UUID, float] = Field(default_factory=dict)
    """The user's scores by response id; the answers themselves never change."""
    passages: tuple[Passage, ...] = ()
    merged_from: tuple[MergePart, ...] = ()
    calls: tuple[Call, ...] = ()
    streaming: tuple[StreamingResponse, ...] = ()
    failures: tuple[ResponseFailure, ...] = ()
    failed_cost_usd: float | None = None
    """The known cost of all failed calls, also of those that were made again."""
    before: PreviousStepState | None = None

    @model_validator(mode="after")
    def _check_times(self) -> Self:
        """Started/completed timestamps must be sequential."""
        if self.completed_at is not None:
            if self.started_at is None:
                raise ValueError(
                    "a step cannot be completed without having been started"
                )
            if self.completed_at < self.started_at:
                raise ValueError("a step cannot be completed before it was started")
        return self

    @model_validator(mode="after")
    def _check_selection(self) -> Self:
        """User selection must be valid index into ai_responses."""
        if self.user_selection is not None and (
            self.user_selection >= len(self.ai_responses)
        ):
            raise ValueError(
                f"the selected answer {self.user_selection} does not exist"
            )
        return self

    @model_validator(mode="after")
    def _check_unique_responses(self) -> Self:
        """Response ID must be globally unique."""
        ids = [answer.response_id for answer in self.ai_responses]
        if len(set(ids)) < len(ids):
            raise ValueError("an answer is there twice")
        return self

    @model_validator(mode="after")
    def _check_completed(self) -> Self:
        """AI responses list cannot be empty for COMPLETED status."""
        if self.status is StepStatus.COMPLETED and not self.ai_responses:
            raise ValueError("a completed step must have answers")
        return self

    @property
    def chosen(self) -> AIResponse | None:
        """The chosen answer as its model wrote it."""
        index = self.user_selection
        return None if index is None else self.ai_responses[index]

    @property
    def content(self) -> str | None:
        """What the next step gets: None if nothing is chosen, "" if skipped."""
        if self.status is StepStatus.SKIPPED:
            return ""
        if self.edited_content is not None:
            return self.edited_content
        if self.merged_content is not None:
            return self.merged_content
        return self.chosen.processed_content if self.chosen else None

    @property
    def part(self) -> ChosenPart | None:
        """The part of the chosen answer that is the step's text, if it is one."""
        text, answer = self.edited_content, self.chosen
        if text is None or answer is None:
            return None
        words, whole = fold_space(text), fold_space(answer.processed_content)
        if words not in whole or words == whole:
            return None
        items = list_items(answer.processed_content)
        item = items.index(text) + 1 if text in items else None
        return ChosenPart(text=text, response_id=answer.response_id, item=item)

    @property
    def rated_responses(self) -> list[AIResponse]:
        """The answers with the user's scores."""
        return [
            response.evolve(
                quality_score=self.ratings.get(
                    response.response_id, response.quality_score
                )
            )
            for response in self.ai_responses
        ]

    @property
    def generation(self) -> int:
        """The generation of the newest call, 0 before the first."""
        return max((call.generation for call in self.calls), default=0)

    @property
    def numbers(self) -> dict[UUID, int]:
        """The number of each call and answer: its place among the calls, from 1.

        It is fixed when the call is made. A call that replaces another has the number
        of that one. What has no call, of an old import, comes last.
        """
        numbers: dict[UUID, int] = {}
        for call in self.calls:
            replaced = numbers.get(call.replaces) if call.replaces else None
            free = max(numbers.values(), default=0) + 1
            numbers[call.response_id] = call.number or replaced or free
        rest = [answer.response_id for answer in self.ai_responses]
        rest += [stream.response_id for stream in self.streaming]
        for key in (*rest, *(failure.response_id for failure in self.failures)):
            numbers.setdefault(key, max(numbers.values(), default=0) + 1)
        return numbers

    def find_response(self, response_id: UUID) -> AIResponse | None:
        """Return the answer `response_id`, or None."""
        matches = (r for r in self.ai_responses if r.response_id == response_id)
        return next(matches, None)

    def made_again(self, response_id: UUID) -> set[UUID]:
        """Return the ids of the calls that repair or continue an answer."""
        made = {r.response_id for r in self.ai_responses if r.continues == response_id}
        for call in self.calls:
            if call.replaces in {response_id, *made}:
                made.add(call.response_id)
        return made

    def replaced_by(self, response_id: UUID) -> AIResponse | None:
        """Return the answer that repairs or continues another, or None."""
        made = self.made_again(response_id)
        return next((r for r in self.ai_responses if r.response_id in made), None)

    def chain_of(self, answer: AIResponse) -> list[AIResponse]:
        """Return an answer and those that it continues, the first one first."""
        chain = [answer]
        while (key := chain[0].continues) and (first := self.find_response(key)):
            chain.insert(0, first)
        return chain

    def with_chain_totals(self, answer: AIResponse) -> AIResponse:
        """Return an answer with the usage and time of all that it continues."""
        first, *rest = self.chain_of(answer)
        usage, seconds = first.usage_stats, first.processing_time
        for each in rest:
            usage = usage.plus(each.usage_stats)
            seconds += each.processing_time
        return answer.evolve(usage_stats=usage, processing_time=seconds)

    def sources_of(self, text: str) -> list[MergePart]:
        """Return the parts of `text`, each of one answer or of the user's own words.

        A paragraph is of the answer in which its words stand. Where they stand in
        several, it is of the one it was taken from, else of the one that was merged or
        chosen, or of its neighbour's.
        """
        taken = [(part.response_id, fold_space(part.text)) for part in self.merged_from]
        merged = [key for key, _ in taken]
        chosen = self.user_selection
        answers = sorted(
            enumerate(self.ai_responses),
            key=lambda item: item[0] != chosen and item[1].response_id not in merged,
        )
        texts = {a.response_id: a.folded_text for _, a in answers}
        parts: list[MergePart] = []
        for paragraph in split_paragraphs(text):
            words = fold_space(paragraph)
            named = {(key, words in whole) for key, whole in taken}
            sources: list[UUID | None] = [
                key
                for key, whole in texts.items()
                if words in whole and (key, True) in named
            ] or [key for key, whole in texts.items() if stand_in(words, whole)]
            source = next(iter(sources), None)
            if parts and parts[-1].response_id in (sources or [None]):
                last = parts.pop()
                joined = f"{last.text}\n\n{paragraph}"
                parts.append(MergePart(response_id=last.response_id, text=joined))
            else:
                parts.append(MergePart(response_id=source, text=paragraph))
        return parts

    @property
    def content_sources(self) -> list[MergePart]:
        """The parts of the step's text, each of one answer or of the user's own."""
        return self.sources_of(self.content or "")

    @property
    def source_answers(self) -> list[AIResponse]:
        """The answers that stand in the step's text, each once."""
        ids = dict.fromkeys(part.response_id for part in self.content_sources)
        return [a for key in ids if key and (a := self.find_response(key))]

    def find_source(self, response_id: UUID | None, text: str) -> UUID | None:
        """Return the id of the answer if the words of `text` stand in it, else None."""
        ended = [(r.response_id, r.folded_text) for r in self.ai_responses]
        streaming = [(s.response_id, fold_space(s.text)) for s in self.streaming]
        words = fold_space(text)
        texts = [text for key, text in ended + streaming if key == response_id]
        return response_id if any(words in text for text in texts) else None


class AppliedText(Entity):
    """A document that contains a step's text; the events have the texts."""

    uri: str
    step: Name
    at: UtcDatetime
    mode: Output


class PipelineRun(GrowingEntity):
    """Represents a specific execution instance of a pipeline configuration."""

    ADDED: ClassVar[frozenset[str]] = frozenset(
        {"reasoning", "samples", "last_models", "front_matter_inputs", "dismissals"}
    )

    pipeline_run_id: UUID
    configuration_id: str = Field(min_length=1)
    parent_pipeline_run_id: UUID | None = None
    branch_point: Name | None = None
    created_at: UtcDatetime
    updated_at: UtcDatetime
    current_step: Name
    status: PipelineStatus = PipelineStatus.INITIALIZING
    user_inputs: dict[str, str] = Field(default_factory=dict)
    steps: dict[str, StepState] = Field(min_length=1)
    name: str | None = None
    uri: str | None = None
    primer: RunPrimer | None = None
    models: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Only the models named by `run.start`; others are resolved when a step is run."""
    reasoning: Reasoning | None = None
    """How long models may think, if `run.start` says so."""
    samples: int | None = Field(default=None, ge=1)
    """How many answers of each model, as the user named it last."""
    last_models: tuple[str, ...] = ()
    """The models that the user named last for a step."""
    front_matter_inputs: tuple[str, ...] = ()
    """The inputs whose values the front matter gave."""
    output: RunOutput = "new_file"
    output_path: str | None = None
    document: RunDocument = RunDocument()
    applied: tuple[AppliedText, ...] = ()
    """The documents that contain texts of this run, the newest last."""
    dismissals: tuple[Dismissal, ...] = ()
    """What a review leaves out, also by earlier reviews of the document."""

    @model_validator(mode="after")
    def _check_branch_point(self) -> Self:
        """Branch point must be valid step name if specified."""
        if self.branch_point is not None and self.branch_point not in self.steps:
            raise ValueError(
                f"the branch point {self.branch_point!r} is not a step of the run"
            )
        if (self.branch_point is None) != (self.parent_pipeline_run_id is None):
            raise ValueError("a branch has both a parent and a branch point")
        if self.parent_pipeline_run_id == self.pipeline_run_id:
            raise ValueError("a run is not its own parent")
        return self

    @model_validator(mode="after")
    def _check_step_names(self) -> Self:
        """Step name must be valid pipeline step."""
        for name, state in self.steps.items():
            if state.step_name != name:
                raise ValueError(f"the step at {name!r} is called {state.step_name!r}")
        return self

    @model_validator(mode="after")
    def _check_current_step(self) -> Self:
        """Current step must not exceed completed steps."""
        expected = first_open_step(self.steps)
        if self.current_step != expected:
            raise ValueError(
                f"the current step is {expected!r}, not {self.current_step!r}"
            )
        return self

    @property
    def step_names(self) -> list[str]:
        """The steps in their order."""
        return list(self.steps)

    @property
    def is_streaming(self) -> bool:
        """Whether any answer is being received."""
        return any(step.streaming for step in self.steps.values())

    @property
    def is_finished(self) -> bool:
        """Whether every step is completed or skipped, even if the run failed later."""
        return all(step.status in DONE_STATUSES for step in self.steps.values())

    @property
    def review_step(self) -> StepState | None:
        """The step whose answers are remarks, if the run is a review."""
        return self.steps[self.current_step] if self.output == "review" else None

    @property
    def cost_usd(self) -> float | None:
        """The known cost of this run's calls so far, in US dollars."""
        steps = self.steps.values()
        failed = [s.failed_cost_usd for s in steps if s.failed_cost_usd is not None]
        answered = total_cost(r.usage_stats for s in steps for r in s.ai_responses)
        return sum(failed, answered or 0.0) if failed else answered

    @property
    def incomplete(self) -> tuple[tuple[StepState, AIResponse], ...]:
        """The steps whose text is an incomplete answer, and that answer."""
        chosen = [
            (s, s.chosen) for s in self.steps.values() if s.edited_content is None
        ]
        return tuple((step, one) for step, one in chosen if one and one.is_cut)

    def words_asked_for(self, prompt: str) -> int | None:
        """Return the input `words` if the prompt asks for it: "800 words"."""
        text = self.user_inputs.get("words", "").strip()
        is_asked = text.isdecimal() and f"{text} words" in prompt
        return int(text) if is_asked and len(text) <= MAX_WORDS_DIGITS else None

    @property
    def pipeline(self) -> str:
        """The name of the pipeline."""
        return pipeline_name(self.configuration_id)

    @property
    def title(self) -> str:
        """The document's title, else its file name, else the pipeline."""
        if self.document.title.strip():
            return self.document.title
        stem = unquote(self.uri or "").rstrip("/").rpartition("/")[2].rpartition(".")[0]
        return stem if stem.strip() else self.pipeline

    @property
    def passage(self) -> str:
        """The first words of the passage that it is about, "" of a document."""
        return first_words(self.document.selection)

    def primer_in(self, answers: Iterable[AIResponse]) -> RunPrimer | None:
        """Return the primer if the prompt of any of the answers carries it."""
        primer = self.primer
        if primer and any(primer.is_in(answer.prompt_used) for answer in answers):
            return primer
        return None

    @property
    def used_primer(self) -> RunPrimer | None:
        """The chosen primer, unless prompts were sent and none of them carries it."""
        answers = [a for step in self.steps.values() for a in step.ai_responses]
        return self.primer_in(answers) if answers else self.primer

    def later_steps(self, step: str) -> list[StepState]:
        """Return the steps after `step`, in order."""
        names = self.step_names
        return [self.steps[name] for name in names[names.index(step) + 1 :]]

    def has_begun_after(self, step: str) -> bool:
        """Whether any step after `step` has begun."""
        return any(s.status is not StepStatus.PENDING for s in self.later_steps(step))

    def with_step(self, state: StepState, **changes: object) -> Self:
        """Return the run with `state` as its step, and `current_step` updated."""
        steps = {**self.steps, state.step_name: state}
        return self.evolve(
            **{"steps": steps, "current_step": first_open_step(steps), **changes}
        )


def pipeline_name(configuration_id: str) -> str:
    """Return the pipeline's name in a configuration id."""
    return configuration_id.rpartition("@")[0] or configuration_id


def first_open_step(steps: dict[str, StepState]) -> str:
    """Return the first step that is not done; of a finished run the last step."""
    for name, state in steps.items():
        if state.status not in DONE_STATUSES:
            return name
    return next(reversed(steps))
