"""Views as a terminal shows them, and the ranges of paragraphs."""

from uuid import UUID, uuid4

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support import runs
from writeit.cli.interactive.answers import parse_paragraph_ranges
from writeit.cli.output import (
    StreamPrinter,
    WordWrapper,
    render_for_terminal,
    render_step_for_terminal,
)
from writeit.domain.errors import InvalidParams
from writeit.domain.operations import select
from writeit.domain.run import PipelineRun
from writeit.engine.streaming import (
    GenerationStarted,
    ResponseDelta,
    ResponseFinished,
)
from writeit.text.block_reader import split_paragraphs
from writeit.text.lines import escape_controls
from writeit.views.run import render_run
from writeit.views.step import render_prompt


def shown(run: PipelineRun, step: str = "angles") -> str:
    """Return a step as a terminal shows it, without colours."""
    return click.unstyle(render_step_for_terminal(run, step, "Three ways to *tell* it"))


def test_an_answer_is_shown_unchanged() -> None:
    """Only the page around the answer is formatted."""
    text = "# A title\n\n**Bold**, `code` and \\*stars\\*\n\n\n\n---\n\n[a link]"
    page = shown(runs.answered(runs.new_run(), text))
    assert text in page
    assert "<!--" not in page


def test_a_prompt_is_shown_word_for_word() -> None:
    """Markdown in it is not formatted."""
    prompt = "# Write\n\n\n\n**Now** \\[x]\n\n---\n"
    page = render_for_terminal(render_prompt(runs.new_run(), "angles", prompt, []))
    assert prompt.rstrip() in page


def test_empty_sections_are_not_shown() -> None:
    """They are for typing in an editor; with text they are shown."""
    run = runs.answered(runs.new_run(), "Bees sleep. They dance.")
    assert "Merge" not in shown(run)
    assert "Feedback" not in shown(run)
    step = run.steps["angles"]
    passage = runs.passage_of(step.ai_responses[0].response_id, "They dance.")
    run = runs.done(run, select.add_passage(run, step, passage, runs.START))
    run = runs.done(
        run, select.give_feedback(run, run.steps["angles"], "Shorter!", runs.START)
    )
    page = shown(run)
    assert page.index("Merge") < page.index(": “They dance.”") < page.index("Feedback")
    assert "answer 1, openai/test: “They dance.”" in page
    assert "Shorter!" in page


def test_markdown_escapes_are_removed() -> None:
    """Descriptions and names have no backslashes."""
    assert "Three ways to *tell* it" in shown(runs.new_run())
    page = click.unstyle(
        render_for_terminal(render_run(runs.new_run(name="a_b [c] *d*")))
    )
    assert page.startswith("a_b [c] *d*\n")
    assert "writeit:/" not in page


def test_control_characters_are_made_visible() -> None:
    """A model's text cannot send commands to the terminal."""
    run = runs.answered(runs.new_run(name="\x1b]0;title\x07"), "a\x1b[2Jb\x9bc\x7f")
    page = shown(run)
    assert "a␛[2Jb�c␡" in page
    for control in "\x1b\x07\x9b\x7f":
        assert control not in page
    assert escape_controls("one\r\n\ttwo") == "one\n\ttwo"


WORDS = st.text(alphabet="ab 世\n", max_size=60)


@given(WORDS, st.integers(4, 12), st.integers(1, 7))
def test_words_are_wrapped_however_they_arrive(
    text: str, width: int, piece: int
) -> None:
    """No line is wider than the terminal, and no word is broken or lost."""
    wrapper = WordWrapper(width)
    pieces = [text[i : i + piece] for i in range(0, len(text), piece)]
    wrapped = "".join(map(wrapper.feed, pieces)) + wrapper.flush()
    whole = WordWrapper(width)
    assert wrapped == whole.feed(text) + whole.flush()
    assert wrapped.split() == text.split()
    for line in wrapped.split("\n"):
        columns = sum(2 if char == "世" else 1 for char in line.rstrip())
        assert columns <= width or len(line.split()) == 1


def test_a_pipe_gets_lines_as_they_are() -> None:
    """There is no width."""
    assert WordWrapper(None).feed("a " * 200) == "a " * 200


def test_answers_are_printed_in_turn(capsys: pytest.CaptureFixture[str]) -> None:
    """The first to begin is shown live, then those that ended, each in one block."""
    printer = StreamPrinter(quiet=False)
    one, two = uuid4(), uuid4()
    started = GenerationStarted(
        run_id=uuid4(),
        step="angles",
        responses=((one, "openai/a", 1), (two, "openai/b", 2)),
        max_cost_usd=0.5,
    )

    def delta(key: UUID, seq: int, text: str) -> ResponseDelta:
        return ResponseDelta(response_id=key, seq=seq, text=text)

    def end(key: UUID, number: int) -> ResponseFinished:
        return ResponseFinished(
            response_id=key, number=number, index=0, status="complete"
        )

    for event in (
        started,
        delta(two, 0, "Water "),
        delta(one, 0, "Rivers "),
        delta(two, 1, "moves."),
        delta(one, 1, "run."),
        end(one, 1),
        end(two, 2),
    ):
        printer.show_event(event)
    shown = capsys.readouterr().err
    assert "── angles ── openai/a, openai/b · at most $0.500" in shown
    assert "Answer 2 · openai/b\nWater moves." in shown
    assert shown.index("Water moves.") < shown.index("Answer 1 · openai/a\nRivers run.")


def test_blank_lines_separate_paragraphs() -> None:
    """A code block is one paragraph."""
    text = "One.\nStill one.\n\n\n```\na\n\nb\n```\n\n- three"
    assert split_paragraphs(text) == ["One.\nStill one.", "```\na\n\nb\n```", "- three"]
    assert split_paragraphs("\n\n") == []


def test_paragraph_ranges_are_parsed() -> None:
    """An invalid range is refused."""
    assert parse_paragraph_ranges("2", 3) == [range(1, 2)]
    assert parse_paragraph_ranges("1, 2-3", 3) == [range(1), range(1, 3)]
    for wrong in ("0", "4", "2-4", "3-2", "x", "1;2", ""):
        with pytest.raises(InvalidParams):
            parse_paragraph_ranges(wrong, 3)
