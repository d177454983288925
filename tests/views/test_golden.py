"""The views as a writer sees them, each kept as a page to look at.

After a change on purpose: `WRITEIT_NEW_GOLDEN=1 pytest tests/views`, then read the
pages that changed as a writer would.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from views import manuscripts, samples
from views.rendered import render_compare, render_response, render_step
from writeit.domain.entity import ModelPreview, UsageTotal
from writeit.domain.run import StepState, StepStatus
from writeit.views.compare import read_compared_text
from writeit.views.run import render_run
from writeit.views.step import render_content, render_prompt
from writeit.views.uris import ComparedSide
from writeit.views.usage import render_usage

GOLDEN = Path(__file__).parent / "golden"
WRITTEN_OUT = "The post, written out"


def draft(step: StepState, **more: object) -> str:
    """The view of the third step."""
    run = samples.up_to_draft(step, **more)
    return render_step(run, "draft", description=WRITTEN_OUT)


def fresh() -> str:
    """A step of which nothing was asked yet."""
    return draft(StepState(step_name="draft"))


def six() -> str:
    """Six answers, one streaming, one failed, one cut short."""
    return draft(samples.six_answers())


def waiting() -> str:
    """Two answers to choose from, passages taken, feedback typed."""
    return draft(samples.waiting())


def chosen() -> str:
    """An answer was chosen, in the writer's own wording."""
    mine = manuscripts.DRAFT.replace(
        "like a fridge in another room", "like a far-off road"
    )
    step = samples.a_step(
        "draft",
        *samples.waiting().ai_responses,
        user_selection=0,
        edited_content=mine,
        ratings={samples.an_id(20): 0.8},
    )
    return draft(step)


def merged() -> str:
    """Passages of two answers were merged."""
    return draft(samples.merged())


def skipped() -> str:
    """The writer went on without the step."""
    return draft(StepState(step_name="draft", status=StepStatus.SKIPPED))


def failed() -> str:
    """No answer came."""
    said = "No key for Anthropic: set one with `writeit keys set anthropic`"
    failures = (samples.a_failure(20, samples.CLAUDE, "auth", said),)
    calls = (samples.a_call(20),)
    return draft(StepState(step_name="draft", calls=calls, failures=failures))


def run() -> str:
    """A run with a family of five and a failure."""
    return render_run(
        samples.up_to_draft(
            samples.six_answers(),
            parent_pipeline_run_id=samples.an_id(2),
            branch_point="outline",
        ),
        samples.family(),
    )


def run_finished() -> str:
    """A run that is done, without relatives."""
    polish = samples.a_step(
        "polish", samples.an_answer(40, text=manuscripts.DRAFT), user_selection=0
    )
    return render_run(
        samples.a_run(
            samples.angles_chosen(),
            StepState(step_name="outline", status=StepStatus.SKIPPED),
            samples.merged(),
            polish,
        )
    )


def response() -> str:
    """One answer with its provenance."""
    return render_response(
        samples.up_to_draft(samples.waiting()), "draft", samples.an_id(21)
    )


def content() -> str:
    """What a step hands on."""
    return render_content(samples.up_to_draft(samples.waiting()), "outline")


def compare() -> str:
    """An answer and the writer's rewording of it."""
    mine = (
        manuscripts.DRAFT.replace("most people go home", "everyone goes home")
        .replace("like a fridge in another room", "like a far-off road at night")
        .replace("## They do not sleep together\n\n", "")
        .replace("The old ones sleep at night, as we do. ", "")
    )
    draft = samples.a_step(
        "draft", *samples.waiting().ai_responses, user_selection=0, edited_content=mine
    )
    run = samples.up_to_draft(draft)
    left = read_compared_text(
        run, ComparedSide(samples.RUN, "draft", samples.an_id(20))
    )
    right = read_compared_text(run, ComparedSide(samples.RUN, "draft", "content"))
    return render_compare(left, right)


def compare_unrelated() -> str:
    """Two answers with little in common."""
    run = samples.up_to_draft(samples.waiting())
    left = read_compared_text(
        run, ComparedSide(samples.RUN, "draft", samples.an_id(20))
    )
    right = read_compared_text(
        run, ComparedSide(samples.RUN, "draft", samples.an_id(21))
    )
    return render_compare(left, right)


def prompt() -> str:
    """A prompt with a fence in it, for three models."""
    text = (
        "You help an author write a blog post.\n\n```notes\nBees sleep.\n```\n\n"
        f"The outline:\n\n{manuscripts.OUTLINE}\n\nWrite the post.\n"
    )
    models = [
        ModelPreview(
            id=samples.CLAUDE,
            prompt_tokens=412,
            context_window=200_000,
            fits=True,
            min_cost_usd=0.001236,
            max_cost_usd=0.019236,
            destination="api.anthropic.com",
        ),
        ModelPreview(
            id=samples.LOCAL,
            prompt_tokens=433,
            context_window=512,
            fits=False,
            min_cost_usd=0.0,
            max_cost_usd=0.0,
            destination="this machine",
        ),
        ModelPreview(id="openrouter/someone/new-model", prompt_tokens=420),
    ]
    return render_prompt(samples.up_to_draft(samples.waiting()), "draft", text, models)


def used(key: str, *counted: int, cost: float | None, seconds: float) -> UsageTotal:
    """Calls, tokens sent and come back, and calls of unknown cost, as a sum."""
    calls, sent, came, unknown = counted
    return UsageTotal(
        key=key,
        calls=calls,
        prompt_tokens=sent,
        completion_tokens=came,
        unknown_cost_calls=unknown,
        cost_usd=cost,
        seconds=seconds,
    )


def usage() -> str:
    """A weekend's calls by model and by day."""
    new = "openrouter/someone/new-model"
    models = [
        used(samples.CLAUDE, 14, 18_220, 9_812, 0, cost=0.2019, seconds=312.4),
        used(samples.LOCAL, 3, 2_410, 1_120, 0, cost=0.0, seconds=95.0),
        used(new, 2, 1_650, 903, 2, cost=None, seconds=20.1),
    ]
    days = [
        used("2026-11-21", 11, 13_102, 7_004, 0, cost=0.1402, seconds=240.0),
        used("2026-11-22", 8, 9_178, 4_831, 2, cost=0.0617, seconds=187.5),
    ]
    total = used("total", 19, 22_280, 11_835, 2, cost=0.2019, seconds=427.5)
    since = samples.BEGUN.replace(day=21)
    return render_usage({"model": models, "day": days}, total, since=since)


VIEWS = (
    *(fresh, six, waiting, chosen, merged, skipped, failed, run, run_finished),
    *(response, content, compare, compare_unrelated, prompt, usage),
)


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.__name__)
def test_a_view_is_as_it_was_last_looked_at(
    view: Callable[[], str], new_golden: bool
) -> None:
    """What a writer sees changes on purpose only."""
    path = GOLDEN / f"{view.__name__}.md"
    page = view()
    if new_golden:
        path.write_text(page, encoding="utf-8", newline="")
    kept = path.read_text(encoding="utf-8") if path.exists() else ""
    assert page == kept, "run WRITEIT_NEW_GOLDEN=1 pytest tests/views, and read it"


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.__name__)
def test_a_view_ends_in_one_line_break(view: Callable[[], str]) -> None:
    """Editors add a last line break where it is missing; a second is an empty line."""
    assert view().endswith("\n")
    assert not view().endswith("\n\n")


def test_every_kept_page_is_of_a_view() -> None:
    """No page is left behind by a view that is gone."""
    assert {p.stem for p in GOLDEN.glob("*.md")} == {v.__name__ for v in VIEWS}


@pytest.mark.parametrize("name", ["waiting", "run", "compare"])
def test_the_page_for_users_shows_the_views_as_they_are(name: str) -> None:
    """What the documentation shows is what a writer sees."""
    docs = Path(__file__).parents[2] / "docs" / "views.md"
    page = (GOLDEN / f"{name}.md").read_text(encoding="utf-8")
    if name == "compare":
        page = page.partition("\n---\n")[0]
    shown = docs.read_text(encoding="utf-8")
    assert page.strip() in shown, f"copy golden/{name}.md into docs/views.md"
