"""What writers and models put into texts, and how a writer edits a view."""

import hypothesis.strategies as st

from views import samples
from views.rendered import render_step
from writeit.domain.run import PipelineRun
from writeit.views.section_markers import SectionKey

ANSWERS = (samples.an_id(20), samples.an_id(21))
ALL: tuple[SectionKey, ...] = (*ANSWERS, "merge", "feedback")
"""The writer's sections in a page of two answers."""
KEYS = st.sampled_from(ALL)

LINES = st.sampled_from(
    [
        "",
        " ",
        "words",
        "a hard break  ",
        "# A heading",
        "---",
        "```",
        "~~~~ text",
        "<!-- a comment -->",
        "<!-- never closed",
        "title: front matter",
        "| a | b |",
        "\ttab\u2028\x85\x0c",
        "naïve 👩‍👩‍👧 é",
        "<!-- writeit:feedback -->",
        "<!-- /writeit:merge -->",
        "<!-- writeit-1:merge --> \t",
        "<!-- /writeit-2:feedback -->",
        f"<!-- writeit:answer 1 {ANSWERS[0]} -->",
        f"<!-- /writeit:answer {ANSWERS[1]} -->\r",
        f"<!-- writeit-1:answer 9 {ANSWERS[0]} -->",
    ]
)
TEXTS = st.lists(LINES, max_size=6).map("\n".join) | st.text(max_size=40)
"""Any text at all, and texts that look like the page around them."""


def page_of(*texts: str, merge: str | None = None, feedback: str | None = None) -> str:
    """The view of a step whose answers have these texts."""
    return render_step(run_of(*texts, merge=merge, feedback=feedback), "draft")


def run_of(
    *texts: str, merge: str | None = None, feedback: str | None = None
) -> PipelineRun:
    """A run whose third step has answers of these texts."""
    answers = [
        samples.an_answer(20 + place, raw_output="raw", processed_content=text)
        for place, text in enumerate(texts)
    ]
    more = {} if merge is None else {"merged_content": merge}
    step = samples.a_step("draft", *answers, user_feedback=feedback, **more)
    return samples.up_to_draft(step)


def opening_of(page: str, key: SectionKey) -> str:
    """The line that opens a section: the last like it, as texts may have lower ones."""
    return _marker(page, key, closes=False)


def closing_of(page: str, key: SectionKey) -> str:
    """The line that closes a section."""
    return _marker(page, key, closes=True)


def retyped(page: str, key: SectionKey, text: str) -> str:
    """The page with another text in a section, typed by hand."""
    opening, closing = opening_of(page, key), closing_of(page, key)
    head, _, rest = page.partition(f"\n{opening}\n")
    tail = rest.partition(f"\n{closing}\n")[2]
    return f"{head}\n{opening}\n{text}\n{closing}\n{tail}"


def _marker(page: str, key: SectionKey, *, closes: bool) -> str:
    """Find a marker the hard way: by the series that the page's last line has."""
    last = page.removesuffix("\n").rpartition("\n")[2]
    mark = last.removeprefix("<!-- /").partition(":")[0]
    start = f"<!-- {'/' if closes else ''}{mark}:"
    return next(
        line
        for line in page.split("\n")
        if line.startswith(start) and line.endswith(f"{key} -->")
    )


def own_markers(page: str) -> set[str]:
    """The lines of a page that are its markers."""
    return {f(page, key) for key in ALL for f in (opening_of, closing_of)}


def is_free(page: str, text: str) -> bool:
    """Whether a text has none of the page's own markers in it."""
    lines = {line.rstrip("\r\t ") for line in text.split("\n")}
    return not lines & own_markers(page)
