"""Addresses of views: there and back, and what is refused."""

from pathlib import PurePosixPath, PureWindowsPath

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from writeit.domain.errors import NotFound
from writeit.views.uris import (
    ComparedSide,
    CompareView,
    ContentView,
    PromptView,
    ResponseView,
    RunView,
    StepView,
    UsageView,
    View,
    parse_view_path,
    parse_view_uri,
    view_path,
    view_uri,
)

R = "0198c3d2-7a10-7000-8000-000000000001"
A = "0198c3d2-7a10-7000-8000-000000000002"

IDS = st.uuids()
NAMES = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,63}", fullmatch=True)
SIDES = st.builds(ComparedSide, IDS, NAMES, IDS | st.just("content"))
VIEWS: st.SearchStrategy[View] = st.one_of(
    st.builds(RunView, IDS),
    st.builds(StepView, IDS, NAMES),
    st.builds(ResponseView, IDS, NAMES, IDS),
    st.builds(ContentView, IDS, NAMES),
    st.builds(CompareView, SIDES, SIDES),
    st.builds(PromptView, IDS, NAMES),
    st.just(UsageView()),
)


@settings(deadline=None)
@given(VIEWS)
def test_an_address_leads_back_to_its_view(view: View) -> None:
    """As a URI with one slash or three, and as a file."""
    uri = view_uri(view)
    assert uri.startswith("writeit:/")
    assert uri.endswith(".md")
    assert parse_view_uri(uri) == view
    assert parse_view_uri(uri.replace("writeit:/", "writeit:///", 1)) == view
    assert parse_view_path(view_path(view)) == view
    assert str(view_path(view)) == uri.replace("writeit:/", ".writeit/views/", 1)


@pytest.mark.parametrize(
    ("uri", "tail"),
    [
        (f"writeit:/run/{R}.md", f"run/{R}.md"),
        (f"writeit:/step/{R}/draft.md", f"step/{R}/draft.md"),
        (f"writeit:/response/{R}/draft/{A}.md", f"response/{R}/draft/{A}.md"),
        (
            f"writeit:/compare/{R}/draft/{A}/{R}/draft/content.md",
            f"compare/{R}/draft/{A}/{R}/draft/content.md",
        ),
        ("writeit:/usage.md", "usage.md"),
    ],
)
def test_the_addresses_of_the_contract(uri: str, tail: str) -> None:
    """The wire contract's own spelling, and the files that mirror it."""
    assert view_uri(parse_view_uri(uri)) == uri
    assert view_path(parse_view_uri(uri)) == PurePosixPath(".writeit/views") / tail


@pytest.mark.parametrize(
    ("uri", "hint"),
    [
        ("file:///notes.md", "writeit:/"),
        ("usage.md", "writeit:/"),
        ("writeit:usage.md", "slash"),
        (f"writeit://run/{R}.md", "three"),
        ("writeit:/usage", "ends in `.md`"),
        ("writeit:/usage.md?by=day", "ends in `.md`"),
        (f"writeit:/stop/{R}/draft.md", "step"),
        (f"writeit:/step/{R}.md", "step/RUN/STEP.md"),
        (f"writeit:/step/{R}/draft/more.md", "step/RUN/STEP.md"),
        ("writeit:/run/latest.md", "not an id"),
        (f"writeit:/run/{{{R}}}.md", "not an id"),
        (f"writeit:/step/{R}/Draft.md", "not the name of a step"),
        (f"writeit:/step/{R}/draft%0A.md", "not the name of a step"),
        (f"writeit:/step/{R}/..%2Fdraft.md", "parts"),
        (f"writeit:/compare/{R}/draft/{A}.md", "compare/RUN/STEP/RESPONSE/"),
    ],
)
def test_what_is_no_view_is_not_found(uri: str, hint: str) -> None:
    """The hint says how an address is written."""
    with pytest.raises(NotFound) as refused:
        parse_view_uri(uri)
    assert hint in refused.value.hint


def test_an_id_in_capitals_is_the_same_id() -> None:
    """Some editors change the case of what they open."""
    assert parse_view_uri(f"WRITEIT:/run/{R.upper()}.md") == parse_view_uri(
        f"writeit:/run/{R}.md"
    )


def test_a_file_elsewhere_is_no_view() -> None:
    """Only what lies in the folder of views is one."""
    with pytest.raises(NotFound, match="not a view"):
        parse_view_path("notes/usage.md")


def test_a_view_is_found_on_windows() -> None:
    """Backslashes in a path mean the same."""
    path = PureWindowsPath(rf".writeit\views\step\{R}\draft.md")
    assert view_uri(parse_view_path(path)) == f"writeit:/step/{R}/draft.md"
