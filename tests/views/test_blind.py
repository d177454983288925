"""Before a blind choice, no text tells which model wrote an answer, or its cost."""

import re
from collections.abc import Iterator
from contextlib import redirect_stderr
from datetime import timedelta
from io import StringIO
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from support.engine_setup import PIPELINE
from support.runs import START, answered, current, done, new_run
from views.samples import BEGUN, RUN, an_answer, an_id
from writeit.cli.output import StreamPrinter, render_step_for_terminal
from writeit.domain.answer import Call, ResponseFailure, StreamingResponse
from writeit.domain.blind import find_named, hidden_letters, letter_of
from writeit.domain.operations import lifecycle, select
from writeit.domain.run import (
    Passage,
    PipelineRun,
    PipelineStatus,
    StepState,
    StepStatus,
)
from writeit.domain.run_bundle import RunBundle
from writeit.engine.requests import draw_places
from writeit.engine.streaming import (
    GenerationStarted,
    ModelThinking,
    ResponseDelta,
    ResponseFinished,
    to_generation_notice,
)
from writeit.export.article import article_provenance
from writeit.lsp.actions.run_actions import actions_for_run, actions_for_section
from writeit.lsp.fallback_messages import answers_message
from writeit.lsp.features.code_lens import status_line_of
from writeit.ports.models import ModelNotice
from writeit.views.answer_heads import answer_heads, list_answers
from writeit.views.compare import comparison_parts, read_compared_text
from writeit.views.page_outline import find_page_sections
from writeit.views.run import answer_name, render_run
from writeit.views.section_markers import assemble_page
from writeit.views.step import response_parts, step_parts
from writeit.views.uris import ComparedSide

MODELS = ("acme/zorro-1", "initech/quark", "globex/tulip:7b", "hooli/nimbus")
TELLING = re.compile(
    "|".join(re.escape(word) for model in MODELS for word in model.split("/"))
    + r"|[Aa]nswers? \d+\b|\$0\.\d*77|47\.7 s|777 tokens"
)
"""Models, providers, numbers, costs, times and sizes of the answers below."""
STATES = ("ended", "partial", "failed", "streaming", "thinking", "queued")


@st.composite
def blind_runs(draw: st.DrawFn) -> PipelineRun:
    """A run whose step waits for a blind choice, with two rounds at most."""
    states = draw(st.lists(st.sampled_from(STATES), min_size=1, max_size=6))
    states.insert(draw(st.integers(0, len(states))), "ended")
    places = draw(st.permutations(range(1, len(states) + 1)))
    calls = [
        Call(
            response_id=an_id(10 + index),
            model=draw(st.sampled_from(MODELS)),
            generation=draw(st.integers(0, 1)),
            place=place,
        )
        for index, place in enumerate(places)
    ]
    fields: Any = {"ai_responses": [], "streaming": [], "failures": []}
    for call, state in zip(calls, states, strict=True):
        add(fields, call, state)
    draw(st.randoms()).shuffle(fields["ai_responses"])
    first = fields["ai_responses"][0]
    passage = Passage(
        passage_id=an_id(90), response_id=first.response_id, text="Some words."
    )
    step = StepState(
        step_name="angles",
        status=StepStatus.RUNNING,
        started_at=BEGUN,
        calls=tuple(calls),
        passages=(passage,),
        **fields,
    )
    run = new_run(pipeline_run_id=RUN)
    return run.with_step(step, status=PipelineStatus.RUNNING)


def add(fields: dict[str, list[Any]], call: Call, state: str) -> None:
    """Add what became of a call."""
    key, model = call.response_id, call.model
    if state in {"ended", "partial"}:
        answer = an_answer(0, model, "Some words.\n\nOthers.", cost=0.0077)
        usage = answer.usage_stats.evolve(completion_tokens=777, total_tokens=9999)
        answer = answer.evolve(
            response_id=key,
            usage_stats=usage,
            processing_time=47.7,
            partial=state == "partial",
            thinking=f"I am {model}.",
            prompt_used=f"You are {model}.",
        )
        fields["ai_responses"].append(answer)
    elif state == "failed":
        message = f"{model} is not reachable"
        fields["failures"].append(
            ResponseFailure(
                response_id=key,
                model=model,
                reason="unavailable",
                message=message,
                usage=an_answer(0, model, cost=0.0077).usage_stats,
            )
        )
    elif state != "queued":
        text = "Coming words." if state == "streaming" else ""
        fields["streaming"].append(
            StreamingResponse(
                response_id=key,
                model=model,
                prompt="p",
                text=text,
                thoughts="Hm " * 9,
            )
        )


def shown_texts(run: PipelineRun) -> Iterator[str]:
    """Every text that a client shows of the run."""
    step, now = current(run), BEGUN + timedelta(seconds=47.7)
    for editable in (True, False):
        page = assemble_page(step_parts(run, "angles", editable=editable, now=now))
        yield page
        for section in find_page_sections(page):
            for action in actions_for_section(run, step, section, "Some words."):
                yield f"{action.title} {action.lens_title}"
    yield render_run(run)
    yield status_line_of(run)
    yield answers_message(run, "angles")
    yield render_step_for_terminal(run, "angles", "")
    for action in actions_for_run(run):
        yield f"{action.title} {action.lens_title}"
    for head in answer_heads(run, step, now, {}):
        yield f"{head.facts} {head.note}"
    sides = [
        read_compared_text(run, ComparedSide(RUN, "angles", answer.response_id))
        for answer in step.ai_responses
    ]
    yield assemble_page(comparison_parts(sides[0], sides[-1]))
    for answer in step.ai_responses:
        yield assemble_page(response_parts(run, "angles", answer.response_id))
        yield answer_name(step, answer.response_id)
    bundle = RunBundle(run=run, configuration=PIPELINE)
    yield str(article_provenance(bundle, "0"))
    yield from streamed_texts(run)


def streamed_texts(run: PipelineRun) -> Iterator[str]:
    """What the terminal prints, and the notices, while the answers arrive."""
    step, printed = current(run), StringIO()
    responses = tuple((c.response_id, c.model, i) for i, c in enumerate(step.calls))
    with redirect_stderr(printed):
        printer = StreamPrinter(quiet=False)
        letters = hidden_letters(step)
        printer.show_event(
            GenerationStarted(
                run_id=RUN,
                step="angles",
                responses=responses,
                letters=letters,
                max_cost_usd=0.0077,
            )
        )
        for key, model, number in responses:
            end: Any = {"status": "failed", "message": f"{model} failed"}
            events = (
                ModelThinking(response_id=key, seconds=47.7, tokens=777),
                ResponseDelta(response_id=key, seq=0, text="Words."),
                ResponseFinished(response_id=key, number=number, index=None, **end),
            )
            for event in events:
                printer.show_event(event)
    yield printed.getvalue()
    for call in step.calls:
        title = f"{call.model}: trying again"
        notice = ModelNotice(code="retrying", title=title, message=call.model)
        yield to_generation_notice(call, notice).title
        yield to_generation_notice(call, notice).message


@settings(deadline=None, max_examples=40)
@given(blind_runs())
def test_no_text_tells_the_model_before_the_choice(run: PipelineRun) -> None:
    """Nor the number, the cost, the time; after the choice all of them are told."""
    for text in shown_texts(run):
        assert not (told := TELLING.search(text)), f"{told}: {text}"
    ended = run.evolve(steps={**run.steps, "angles": current(run).evolve(streaming=())})
    events = select.select_response(ended, current(ended), 0, BEGUN)
    chosen = done(ended, events)
    answer = chosen.steps["angles"].ai_responses[0]
    page = assemble_page(step_parts(chosen, "angles"))
    for fact in (answer.model, "47.7 s", "$0.0077", "shown as"):
        assert fact in page


@settings(deadline=None, max_examples=40)
@given(blind_runs())
def test_answers_stand_in_the_order_of_their_letters(run: PipelineRun) -> None:
    """The order in which they were called and arrived tells nothing."""
    step = current(run)
    rounds = {c.response_id: (-c.generation, c.place) for c in step.calls}
    items: list[Any] = list(list_answers(step))
    shown = [getattr(item, "answer", item).response_id for item in items]
    assert shown == sorted(shown, key=rounds.__getitem__)


def drawn(run: PipelineRun) -> list[Call]:
    """The calls of a new round with their places."""
    step = current(run)
    calls = [
        Call(response_id=an_id(key), model="a/b", generation=1) for key in range(50, 53)
    ]
    return draw_places(step, calls, blind=True)


def test_each_round_is_drawn_anew_and_a_repair_keeps_its_letter() -> None:
    """A letter means one answer, as long as the step waits for the choice."""
    run = new_run()
    first = drawn(run)
    assert {call.place for call in first} == {1, 2, 3}
    orders = {tuple(call.place for call in drawn(run)) for _ in range(200)}
    assert len(orders) == 6
    step = current(run).evolve(status=StepStatus.RUNNING, calls=tuple(first))
    run = run.with_step(step)
    assert {call.place for call in drawn(run)} == {4, 5, 6}
    repair = Call(
        response_id=an_id(60), model="a/b", generation=0, replaces=first[1].response_id
    )
    assert draw_places(step, [repair], blind=False)[0].place == first[1].place


def blind(run: PipelineRun) -> PipelineRun:
    """The run with letters drawn in its current step, last call first."""
    step = current(run)
    count = len(step.calls)
    calls = (c.evolve(place=count - i) for i, c in enumerate(step.calls))
    return run.with_step(step.evolve(calls=tuple(calls)))


def test_an_answer_is_found_by_its_letter_and_its_number() -> None:
    """Also in lower case; after the choice only by its number."""
    run = blind(answered(new_run(), "one", "two"))
    step = current(run)
    one, two = (answer.response_id for answer in step.ai_responses)
    assert [find_named(step, word) for word in ("A", "b", "1")] == [two, one, one]
    chosen = done(run, select.select_response(run, step, one, START)).steps["angles"]
    assert find_named(chosen, "A") is None
    assert find_named(chosen, "2") == two


def test_what_the_user_has_seen_is_not_hidden_again() -> None:
    """A branch of a step that was chosen shows its models; one before does not."""
    run = blind(answered(new_run(), "one", "two"))
    child = lifecycle.branch(run, current(run), an_id(70), START, None).run
    assert hidden_letters(child.steps["angles"]) == hidden_letters(current(run))
    chosen = done(run, select.select_response(run, current(run), 0, START))
    step = chosen.steps["angles"]
    child = lifecycle.branch(chosen, step, an_id(70), START, None).run
    assert not hidden_letters(child.steps["angles"])
    again = done(chosen, select.select_response(chosen, step, 1, START))
    assert not any(call.place for call in again.steps["angles"].calls)


def test_letters_go_on_after_z() -> None:
    """As columns of a table do."""
    assert [letter_of(place) for place in (1, 26, 27, 703)] == ["A", "Z", "AA", "AAA"]
