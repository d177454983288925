"""The view of a step: its answers to choose from, a merge and words for the models."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from uuid import UUID

from writeit.domain.errors import NotFound
from writeit.domain.operations.lifecycle import find_step
from writeit.domain.run import (
    AIResponse,
    Call,
    PipelineRun,
    ResponseFailure,
    StepState,
    StreamingResponse,
)
from writeit.views import wording
from writeit.views.escape import (
    code_block,
    escape_inline,
    escape_line,
    escape_quotation,
    join_blocks,
    shorten,
)
from writeit.views.section_markers import PageParts, SectionText
from writeit.views.wording import interruption_text, step_next_action, step_status_text

# --- What came of the calls of a step, in the order they were asked -------------------

_EDITED_NOTE = (
    "*In your own wording. What the model wrote is kept; compare the two to see it.*"
)
_REGENERATION_LABELS = {2: "asked anew a second time", 3: "asked anew a third time"}


@dataclass(frozen=True, slots=True)
class EndedAnswer:
    """An answer with text, whole or not."""

    answer: AIResponse
    index: int
    regeneration: int = 0
    """How often the step had been asked anew by then."""
    is_merge: bool = False


@dataclass(frozen=True, slots=True)
class StreamingAnswer:
    """An answer on its way."""

    stream: StreamingResponse


@dataclass(frozen=True, slots=True)
class QueuedAnswer:
    """A call that is not made yet."""

    model: str


@dataclass(frozen=True, slots=True)
class FailedAnswer:
    """A call that ended without any text."""

    failure: ResponseFailure


AnswerItem = EndedAnswer | StreamingAnswer | QueuedAnswer | FailedAnswer


def list_answers(step: StepState) -> list[AnswerItem]:
    """Return what came, in the order asked; what nobody knows to have asked, last."""
    places = {call.response_id: place for place, call in enumerate(step.calls)}
    items = _collect_answers(step)
    known = sorted((i for i in items if i in places), key=places.__getitem__)
    return [items[i] for i in (*known, *(i for i in items if i not in places))]


def _collect_answers(step: StepState) -> dict[UUID, AnswerItem]:
    calls = {call.response_id: call for call in step.calls}
    settled: dict[UUID, AnswerItem] = {
        answer.response_id: _ended_answer(answer, index, calls)
        for index, answer in enumerate(step.rated_responses)
    }
    settled |= {
        stream.response_id: StreamingAnswer(stream) for stream in step.streaming
    }
    settled |= {failure.response_id: FailedAnswer(failure) for failure in step.failures}
    replaced = {call.replaces for call in step.calls}
    waiting = {
        call.response_id: QueuedAnswer(call.model)
        for call in step.calls
        if step.streaming
        and call.generation == step.generation
        and call.response_id not in settled
        and call.response_id not in replaced
    }
    return settled | waiting


def _ended_answer(
    answer: AIResponse, index: int, calls: dict[UUID, Call]
) -> EndedAnswer:
    call = calls.get(answer.response_id)
    if call is None:
        return EndedAnswer(answer, index)
    generations = sorted({call.generation for call in calls.values()})
    return EndedAnswer(answer, index, generations.index(call.generation), call.merge)


def answer_parts(step: StepState, item: AnswerItem) -> PageParts:
    """Return one of them as parts of a page."""
    match item:
        case EndedAnswer():
            return _ended_answer_parts(step, item)
        case StreamingAnswer():
            return _streaming_answer_parts(item.stream)
        case QueuedAnswer():
            return [
                f"## Coming · {escape_inline(item.model)}\n\n*It waits its turn.*\n"
            ]
        case FailedAnswer():
            return [_failed_answer_text(item.failure)]


def _ended_answer_parts(step: StepState, item: EndedAnswer) -> PageParts:
    answer, index = item.answer, item.index
    chosen = step.user_selection == index
    heading = (
        f"## Answer {wording.answer_number(index)} · {escape_inline(answer.model)}"
    )
    text = answer.processed_content
    notes = [ending_note(answer)]
    if item.is_merge:
        notes.append("*Joined from several answers by the model.*")
    if chosen and step.edited_content is not None:
        text = step.edited_content
        notes.append(_EDITED_NOTE)
    facts = answer_facts(answer, text)
    if item.regeneration:
        facts += f" · {_REGENERATION_LABELS.get(item.regeneration, 'asked anew')}"
    block = SectionText(
        "answer", text, answer.response_id, wording.answer_number(index)
    )
    head = join_blocks(heading + (" · your choice" if chosen else ""), facts, *notes)
    return [f"{head}\n\n", block]


def answer_facts(answer: AIResponse, text: str) -> str:
    """Say how long an answer is, what it took and what it cost, on one line."""
    usage = answer.usage_stats
    about = "about " if usage.estimated else ""
    facts = [
        wording.text_length(text),
        about + wording.count_of(usage.completion_tokens, "token"),
        wording.format_duration(answer.processing_time),
        wording.cost_text(usage.cost_usd, estimated=usage.estimated),
    ]
    if answer.quality_score is not None:
        facts.append(f"you rated it {answer.quality_score:g}")
    return " · ".join(facts)


def ending_note(answer: AIResponse) -> str:
    """Say how an answer ended, where it is not simply whole, as a line of a page."""
    ended = wording.describe_ending(answer)
    if not ended:
        return ""
    return f"**{'Not whole' if answer.partial else 'Long'}:** {ended}."


def _streaming_answer_parts(stream: StreamingResponse) -> PageParts:
    heading = f"## Coming · {escape_inline(stream.model)}\n\n"
    if not stream.text:
        return [f"{heading}*Asked; nothing has come yet.*\n"]
    block = SectionText("coming", stream.text, stream.response_id)
    return [
        f"{heading}{wording.text_length(stream.text)} so far\n\n",
        block,
        "\n*… more is coming*\n",
    ]


def _failed_answer_text(failure: ResponseFailure) -> str:
    why = wording.describe_failure(failure.reason)
    said = f"> {escape_quotation(failure.message)}" if failure.message.strip() else ""
    return (
        join_blocks(
            f"## No answer · {escape_inline(failure.model)}",
            f"**Nothing came:** {why}. {wording.failure_remedy(failure.reason)}",
            said,
        )
        + "\n"
    )


# --- The view of a step: its answers to choose from, a merge and words for the models -

_RULE = "\n---\n\n"
_EXCERPT_LENGTH = 60


def step_parts(
    run: PipelineRun, step: str, *, description: str = "", editable: bool = True
) -> PageParts:
    """Return the view of a step; `description` is the pipeline's line about it.

    `editable` is whether the writer can type into the page: it tells her of it.

    Raises:
        NotFound: the run has no such step.
    """
    state = find_step(run, step)
    items = list_answers(state)
    parts: PageParts = [_step_header(run, state, description, editable=editable)]
    parts += chain.from_iterable([_RULE, *answer_parts(state, item)] for item in items)
    if items:
        parts += [_RULE, *_merge_section(state, editable=editable), "\n"]
        parts += _feedback_section(state, editable=editable)
    return parts


def _step_header(
    run: PipelineRun, step: StepState, description: str, *, editable: bool
) -> str:
    names = run.step_names
    place = f"step {names.index(step.step_name) + 1} of {len(names)}"
    told = f"**{wording.to_sentence(step_status_text(step))}**"
    if spent := wording.total_cost_text(wording.sum_costs(step.ai_responses)):
        told += f" So far: {spent}."
    next_ = step_next_action(run, step, editable=editable)
    return (
        join_blocks(
            f"# {step.step_name} · {place}",
            escape_line(wording.run_label(run)),
            escape_line(description),
            told,
            f"{interruption_text(run)} {next_}".strip(),
        )
        + "\n"
    )


def _merge_section(step: StepState, *, editable: bool) -> PageParts:
    if step.merged_content is not None:
        text = step.merged_content
        hint = "The text below is yours, and what the next step gets."
        taken = [(part.response_id, part.text) for part in step.merged_from]
    else:
        text = "\n\n".join(passage.text for passage in step.passages)
        taken = [(passage.response_id, passage.text) for passage in step.passages]
        hint = _merge_help(has_parts=bool(taken), editable=editable)
    head = join_blocks("## Merge", _merge_parts_list(step, taken), hint)
    return [f"{head}\n\n", SectionText("merge", text)]


def _merge_help(*, has_parts: bool, editable: bool) -> str:
    if has_parts:
        yours = "The text below is yours to change. " if editable else ""
        return f"{yours}Use the merge when it reads well."
    also = " You can also write here yourself." if editable else ""
    return f"Select lines of an answer and take them: they gather here.{also}"


def _merge_parts_list(
    step: StepState, merge_parts: Iterable[tuple[UUID | None, str]]
) -> str:
    """List the parts of a merge with where each comes from."""
    sources = _answer_names(step)
    lines = [
        f"{place}. {sources.get(source, 'an answer') if source else 'you'}:"
        f" “{escape_inline(shorten(text, _EXCERPT_LENGTH))}”"
        for place, (source, text) in enumerate(merge_parts, start=1)
    ]
    return "\n".join(lines)


def _answer_names(step: StepState) -> dict[UUID, str]:
    """Name every answer that passages can be taken from."""
    coming = {s.response_id: escape_inline(s.model) for s in step.streaming}
    ended = {
        answer.response_id: (
            f"answer {wording.answer_number(index)}, {escape_inline(answer.model)}"
        )
        for index, answer in enumerate(step.ai_responses)
    }
    return coming | ended


def _feedback_section(step: StepState, *, editable: bool) -> PageParts:
    hint = (
        "What should the models know? Your words go along with your next choice,"
        " merge or new asking."
        if editable
        else "What you told the models, or will with your next choice, merge or new"
        " asking."
    )
    return [
        f"## Feedback\n\n{hint}\n\n",
        SectionText("feedback", step.user_feedback or ""),
    ]


# --- One answer with where it came from; and what a step hands on ---------------------


def response_parts(run: PipelineRun, step: str, response_id: UUID) -> PageParts:
    """Return the view of one answer, as the model wrote it.

    Raises:
        NotFound: the run has no such step, or the step no such answer.
    """
    state = find_step(run, step)
    answer = require_response(state, response_id)
    index = state.ai_responses.index(answer)
    answer = state.rated_responses[index]
    text = SectionText(
        "answer", answer.processed_content, response_id, wording.answer_number(index)
    )
    head = join_blocks(
        f"# Answer {wording.answer_number(index)} of {state.step_name}"
        f" · {escape_inline(answer.model)}",
        escape_line(wording.run_label(run)),
        answer_facts(answer, answer.processed_content),
        ending_note(answer),
        _selection_note(state, index),
    )
    return [f"{head}\n\n", text, f"\n{_response_provenance(run, answer)}\n"]


def render_content(run: PipelineRun, step: str) -> str:
    """Return what the next step gets, and nothing else.

    Raises:
        NotFound: the run has no such step, or nothing is chosen there yet.
    """
    return require_content(find_step(run, step)).rstrip("\n") + "\n"


def require_content(step: StepState) -> str:
    """Return what the next step gets.

    Raises:
        NotFound: nothing is chosen yet.
    """
    if step.content is None:
        raise NotFound(
            f"Step {step.step_name!r} has no text yet: {step_status_text(step)}.",
            hint="Choose an answer of it, or merge several.",
        )
    return step.content


def require_response(step: StepState, response_id: UUID) -> AIResponse:
    """Return an answer of a step.

    Raises:
        NotFound: there is none of this id.
    """
    answer = step.find_response(response_id)
    if answer is None:
        known = [str(answer.response_id) for answer in step.ai_responses]
        raise NotFound.with_suggestions("ended answer", str(response_id), known)
    return answer


def _selection_note(step: StepState, index: int) -> str:
    if step.user_selection != index:
        return ""
    if step.edited_content is None:
        return "Your choice."
    return "Your choice, in your own wording. Here it stands as the model wrote it."


def _response_provenance(run: PipelineRun, answer: AIResponse) -> str:
    usage = answer.usage_stats
    sent = wording.count_of(usage.prompt_tokens, "token")
    back = wording.count_of(usage.completion_tokens, "token")
    counted = ", both counted here" if usage.estimated else ""
    facts = [
        f"- Received {wording.format_datetime(answer.created_at)}",
        f"- {sent} sent, {back} came back{counted}",
    ]
    if answer.first_token_seconds is not None:
        facts.append(
            f"- First words after {wording.format_duration(answer.first_token_seconds)}"
        )
    if run.primer is not None:
        version = escape_inline(run.primer.version)
        facts.append(f"- Style primer {run.primer.primer_id}, version {version}")
    if answer.raw_output.strip() != answer.processed_content.strip():
        facts.append("- The model had put a fence around all of it; it is left out")
    return join_blocks(
        "## Where it came from",
        "\n".join(facts),
        "## The prompt, as it was sent",
        code_block(answer.prompt_used),
    )
