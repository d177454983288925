"""The pages of a step: its answers, merge and feedback; one answer; its prompt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import chain
from uuid import UUID

from writeit.domain.answer import AIResponse, Call, ResponseFailure, StreamingResponse
from writeit.domain.blind import (
    HIDDEN,
    answer_name,
    answer_title,
    hidden_letters,
)
from writeit.domain.entity import ModelPreview
from writeit.domain.errors import NotFound
from writeit.domain.model_id import split_model_id
from writeit.domain.operations.lifecycle import find_step
from writeit.domain.operations.review import (
    PlacedRemark,
    describe_remarks,
    name_remark,
)
from writeit.domain.remarks import Remark
from writeit.domain.run import PipelineRun, StepState
from writeit.text.cleaning import describe_removed
from writeit.text.thoughts import split_thoughts
from writeit.views import wording
from writeit.views.answer_heads import (
    AnswerItem,
    EndedAnswer,
    answer_facts,
    failure_details,
    is_selected,
    list_answers,
    step_cost_text,
    waiting_text,
)
from writeit.views.escape import (
    code_block,
    escape_inline,
    escape_line,
    escape_quotation,
    join_blocks,
    markdown_table,
    page_of_blocks,
    shorten,
    single_line,
)
from writeit.views.section_markers import PageParts, SectionText
from writeit.views.wording import (
    interruption_text,
    step_next_action,
    step_status_text,
)

NO_MARKS: Mapping[UUID, str] = {}
_EDITED_NOTE = (
    "*Edited by you. The model's version was kept; compare the two to see it.*"
)


def _answer_parts(
    run: PipelineRun,
    step: StepState,
    item: AnswerItem,
    now: datetime | None,
    marks: Mapping[UUID, str],
) -> PageParts:
    """Return the parts of a page that show one result."""
    match item:
        case EndedAnswer():
            return _ended_answer_parts(run, step, item, marks)
        case StreamingResponse():
            return _streaming_answer_parts(step, item, now)
        case ResponseFailure():
            return [_failed_answer_text(step, item)]
        case Call():
            return [f"{_answer_heading(step, item)} · queued\n\n*Not sent yet.*\n"]


def _answer_heading(
    step: StepState, item: Call | StreamingResponse | ResponseFailure
) -> str:
    return (
        f"## Answer {escape_inline(answer_title(step, item.response_id, item.model))}"
    )


def _ended_answer_parts(
    run: PipelineRun, step: StepState, item: EndedAnswer, marks: Mapping[UUID, str]
) -> PageParts:
    answer, key = item.answer, item.answer.response_id
    chosen = is_selected(step, answer)
    heading = f"## Answer {escape_inline(answer_title(step, key, answer.model))}"
    text = answer.processed_content
    failed = (wording.failure_text(failure.reason) for failure in item.failed)
    notes = [ending_note(answer), *(f"**Not completed:** {why}" for why in failed)]
    if key not in hidden_letters(step):
        notes += [f"*{escape_inline(note)}*" for note in answer.notes]
    if item.is_merge:
        notes.append("*Merged from several answers by the model.*")
    part = step.part if chosen else None
    if part is not None:
        excerpt = escape_inline(shorten(single_line(part.text), _EXCERPT_LENGTH))
        notes.append(f"*You chose this part: “{excerpt}”*")
    elif chosen and step.edited_content is not None:
        text = step.edited_content
        notes.append(_EDITED_NOTE)
    facts = answer_facts(run, step, answer, text, marks)
    if item.regeneration:
        facts += f" · regeneration {item.regeneration}"
    block = SectionText("answer", text, key, item.label)
    head = join_blocks(heading + (" · your choice" if chosen else ""), facts, *notes)
    return [f"{head}\n\n", block]


def ending_note(answer: AIResponse) -> str:
    """Return a line that says why an answer is incomplete, or ""."""
    ending = wording.describe_ending(answer)
    return f"**Incomplete:** {ending}." if ending else ""


def _streaming_answer_parts(
    step: StepState, stream: StreamingResponse, now: datetime | None
) -> PageParts:
    heading = f"{_answer_heading(step, stream)} · generating\n\n"
    split = split_thoughts(stream.text, stream.prompt)
    if split.text.strip():
        return [
            f"{heading}{wording.text_length(split.text)} so far\n\n",
            SectionText(
                "coming",
                split.text,
                stream.response_id,
                answer_name(step, stream.response_id),
            ),
            "\n*… still being generated*\n",
        ]
    said = wording.to_sentence(waiting_text(step, stream, split.thoughts, now))
    return [f"{heading}*{said}*\n"]


def _failed_answer_text(step: StepState, failure: ResponseFailure) -> str:
    message, usage = failure_details(step, failure)
    return page_of_blocks(
        f"{_answer_heading(step, failure)} · no answer",
        wording.failure_text(failure.reason),
        message.strip() and f"> {escape_quotation(message)}",
        usage,
    )


REMARKS_HEADING = "## Remarks"
_RULE = "\n---\n\n"
_EXCERPT_LENGTH = 60


def step_parts(  # noqa: PLR0913 -- what a page is made of, by name
    run: PipelineRun,
    step: str,
    *,
    description: str = "",
    editable: bool = True,
    now: datetime | None = None,
    marks: Mapping[UUID, str] = NO_MARKS,
    remarks: Sequence[PlacedRemark] | None = None,
) -> PageParts:
    """Return the page of a step; `description` is the pipeline's line about it.

    `editable`: the user can type into the page. `now`: say for how long models think.
    `marks`: how much of an answer is marked. `remarks`: those of a review, with
    their places in the document of now.

    Raises:
        NotFound: the run has no such step.
    """
    state = find_step(run, step)
    items = list_answers(state)
    parts: PageParts = [
        _step_header(run, state, description, remarks, editable=editable)
    ]
    parts += chain.from_iterable(
        [_RULE, *_answer_parts(run, state, item, now, marks)] for item in items
    )
    if items and state != run.review_step:
        parts += [_RULE, *_merge_section(state, editable=editable), "\n"]
    if items:
        parts += _feedback_section(state, editable=editable)
    return parts


def _step_header(
    run: PipelineRun,
    step: StepState,
    description: str,
    placed: Sequence[PlacedRemark] | None,
    *,
    editable: bool,
) -> str:
    names = run.step_names
    position = f"step {names.index(step.step_name) + 1} of {len(names)}"
    status = f"**{wording.to_sentence(step_status_text(step, run))}**"
    if cost := step_cost_text(step):
        status += f" Step cost: {cost.removeprefix('cost ')}."
    action = step_next_action(run, step, editable=editable)
    remarks = describe_remarks(run, _on_one_line, placed)
    return page_of_blocks(
        f"# {step.step_name} · {position}",
        escape_line(wording.run_label(run)),
        escape_line(description),
        status,
        f"{interruption_text(run)} {action}".strip(),
        remarks and f"{REMARKS_HEADING}\n\n{remarks}",
    )


def _on_one_line(words: str) -> str:
    return escape_inline(single_line(words))


def find_remark_line(lines: Sequence[str], remark: Remark | None) -> int | None:
    """Return the line of a review's page that lists a remark, or begins the list."""
    name = f", {name_remark(remark, _on_one_line)}" if remark else REMARKS_HEADING
    return next((n for n, line in enumerate(lines) if line.endswith(name)), None)


def _merge_section(step: StepState, *, editable: bool) -> PageParts:
    if step.merged_content is not None:
        text = step.merged_content
        hint = "The next step gets the text below."
        passages = [(part.response_id, part.text) for part in step.content_sources]
    else:
        text = "\n\n".join(passage.text for passage in step.passages)
        passages = [(passage.response_id, passage.text) for passage in step.passages]
        hint = _merge_help(has_parts=bool(passages), editable=editable)
    head = join_blocks("## Merge", _merge_parts_list(step, passages), hint)
    return [f"{head}\n\n", SectionText("merge", text)]


def _merge_help(*, has_parts: bool, editable: bool) -> str:
    if has_parts:
        edit = "You can edit the text below. " if editable else ""
        return f"{edit}Use the merge when it is ready."
    write = " You can also write here yourself." if editable else ""
    return f"Select lines of an answer and add them to the merge.{write}"


def _merge_parts_list(
    step: StepState, merge_parts: Iterable[tuple[UUID | None, str]]
) -> str:
    """List the parts of a merge with the source of each."""
    sources = _answer_names(step)
    lines = [
        f"{number}. {sources.get(source, 'an answer') if source else 'you'}:"
        f" “{escape_inline(shorten(text, _EXCERPT_LENGTH))}”"
        for number, (source, text) in enumerate(merge_parts, start=1)
    ]
    return "\n".join(lines)


def _answer_names(step: StepState) -> dict[UUID, str]:
    """Return the name of each answer that has text."""
    models = {answer.response_id: answer.model for answer in step.ai_responses}
    models |= {stream.response_id: stream.model for stream in step.streaming}
    hidden = hidden_letters(step)
    return {
        key: wording.answer_label(step, key)
        + ("" if key in hidden else f", {escape_inline(model)}")
        for key, model in models.items()
    }


def _feedback_section(step: StepState, *, editable: bool) -> PageParts:
    whose = "Write" if editable else "Your"
    hint = (
        f"{whose} feedback for the models. It is used with your next choice, merge or"
        " regeneration."
    )
    return [
        f"## Feedback\n\n{hint}\n\n",
        SectionText("feedback", step.user_feedback or ""),
    ]


def response_parts(run: PipelineRun, step: str, response_id: UUID) -> PageParts:
    """Return the page of one answer, as the model wrote it.

    Raises:
        NotFound: the step or the answer does not exist.
    """
    state = find_step(run, step)
    answer = require_response(state, response_id)
    answer = state.rated_responses[state.ai_responses.index(answer)]
    label = answer_name(state, response_id)
    text = SectionText("answer", answer.processed_content, response_id, label)
    is_hidden = response_id in hidden_letters(state)
    model = "" if is_hidden else f" · {escape_inline(answer.model)}"
    head = join_blocks(
        f"# Answer {label} of {state.step_name}{model}",
        escape_line(wording.run_label(run)),
        answer_facts(run, state, answer, answer.processed_content, NO_MARKS),
        ending_note(answer),
        _selection_note(state, answer),
    )
    thoughts = _folded_thoughts(answer)
    details = join_blocks(thoughts, _response_provenance(run, answer))
    if is_hidden:
        details = HIDDEN
    return [f"{head}\n\n", text, f"\n{details}\n"]


def _folded_thoughts(answer: AIResponse) -> str:
    if answer.thinking is None:
        return ""
    length = wording.text_length(answer.thinking)
    return join_blocks(
        f"<details>\n<summary>Thoughts of the model ({length})</summary>",
        code_block(answer.thinking),
        "</details>",
    )


def render_content(run: PipelineRun, step: str) -> str:
    """Return the page of a step's content: only the text that the next step gets.

    Raises:
        NotFound: the step does not exist, or nothing is chosen in it yet.
    """
    return require_content(find_step(run, step)).rstrip("\n") + "\n"


def require_content(step: StepState) -> str:
    """Return the text that the next step gets.

    Raises:
        NotFound: nothing is chosen yet.
    """
    if step.content is None:
        raise NotFound(
            f"Step {step.step_name!r} has no text yet: {step_status_text(step)}.",
            hint="Choose one of its answers, or merge several.",
        )
    return step.content


def require_response(step: StepState, response_id: UUID) -> AIResponse:
    """Return an answer of a step.

    Raises:
        NotFound: the step has no ended answer with this id.
    """
    answer = step.find_response(response_id)
    if answer is None:
        known = [str(answer.response_id) for answer in step.ai_responses]
        raise NotFound.with_suggestions("ended answer", str(response_id), known)
    return answer


def _selection_note(step: StepState, answer: AIResponse) -> str:
    if not is_selected(step, answer):
        return ""
    if step.edited_content is None:
        return "Your choice."
    if step.part is not None:
        return "You chose a part of it."
    return "Your choice, edited by you. This is the model's version."


def _response_provenance(run: PipelineRun, answer: AIResponse) -> str:
    usage = answer.usage_stats
    sent = wording.count_of(usage.prompt_tokens, "token")
    received = wording.count_of(usage.completion_tokens, "token")
    counted = " (estimated)" if usage.estimated else ""
    if usage.reasoning_tokens:
        counted = f", {usage.reasoning_tokens:,} of them thinking{counted}"
    facts = [
        f"- Received {wording.format_datetime(answer.created_at)}",
        f"- {sent} sent, {received} received{counted}",
    ]
    if answer.first_token_seconds is not None:
        facts.append(
            f"- First text after {wording.format_duration(answer.first_token_seconds)}"
        )
    if (primer := run.primer_in([answer])) is not None:
        version = escape_inline(primer.version)
        facts.append(f"- Style primer {primer.primer_id}, version {version}")
    removed = describe_removed(answer.raw_output, answer.processed_content)
    if removed:
        names = ", ".join(escape_inline(name) for name in removed)
        facts.append(f"- Removed from what the model sent: {names}")
    return join_blocks(
        "## Details",
        "\n".join(facts),
        "## Prompt as sent",
        code_block(answer.prompt_used),
    )


def render_prompt(
    run: PipelineRun,
    step: str,
    prompt: str,
    models: Sequence[ModelPreview],
    new_file_head: str = "",
) -> str:
    """Return the page of a step's prompt, and of how a new file begins."""
    begins = ("A new file from this run begins with:", code_block(new_file_head))
    return page_of_blocks(
        f"# Prompt of {escape_inline(step)}",
        escape_line(wording.run_label(run)),
        "This is exactly what the step sends. Opening this page sends nothing.",
        HIDDEN if hidden_letters(run.steps[step]) else _models_table(models),
        *(begins if new_file_head else ()),
        "## The prompt",
        wording.text_length(prompt),
        code_block(prompt),
    )


def _models_table(models: Sequence[ModelPreview]) -> str:
    if not models:
        return "No model is set for this step. Choose one when you generate."
    rows = [
        (
            escape_inline(model.id),
            _destination_cell(model),
            f"{model.prompt_tokens:,}",
            _context_window_cell(model),
            _cost_range_cell(model),
        )
        for model in models
    ]
    headers = ("model", "sent to", "tokens", "context window", "cost")
    return markdown_table(headers, rows, right_aligned=(2, 3))


def _destination_cell(model: ModelPreview) -> str:
    if not model.allowed:
        return f"not allowed: `providers` does not list {split_model_id(model.id)[0]}"
    return escape_inline(model.destination) or "unknown"


def _context_window_cell(model: ModelPreview) -> str:
    if model.context_window is None:
        return "unknown"
    return f"{model.context_window:,}{', too small' if model.fits is False else ''}"


def _cost_range_cell(model: ModelPreview) -> str:
    least, most = model.min_cost_usd, model.max_cost_usd
    if least is None:
        return "unknown"
    if most is None:
        return f"{wording.format_usd(least)} or more"
    if wording.format_usd(least) == wording.format_usd(most):
        return wording.format_usd(most)
    return f"{wording.format_usd(least)} to {wording.format_usd(most)}"
