"""docs/protocol.md names all that the schema has besides commands."""

import re
from pathlib import Path
from typing import get_args

import pytest

from writeit.domain.errors import FailureReason
from writeit.engine.streaming import NoticeCode
from writeit.lsp.messages import (
    ERROR_DATA_BY_KIND,
    LIFECYCLE,
    ClientOptions,
    ErrorDataBase,
)
from writeit.lsp.protocol import Params
from writeit.lsp.schema import STREAM_EVENTS
from writeit.views import uris

PAGE = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text("utf-8")


def row(of: str) -> str:
    """The line of a table that is about `of`."""
    (line,) = re.findall(
        rf"^\| (?:-\d+ \| )?`{re.escape(of)}` \|.*$", PAGE, re.MULTILINE
    )
    return str(line)


@pytest.mark.parametrize("kind", ERROR_DATA_BY_KIND)
def test_each_error_has_a_row_with_its_code_and_its_keys(kind: str) -> None:
    """All but `kind`, `message` and `hint`, which the text explains once."""
    data = ERROR_DATA_BY_KIND[kind]
    line = row(kind)
    assert line.startswith(f"| {data.code} |")
    own = data.model_fields.keys() - ErrorDataBase.model_fields.keys() - {"kind"}
    assert all(f"`{data.model_fields[name].alias}`" in line for name in own)


@pytest.mark.parametrize("event", STREAM_EVENTS)
def test_each_event_has_a_row_with_its_fields(event: type[ErrorDataBase]) -> None:
    """All but `kind`, by which the row is found."""
    (kind,) = get_args(event.model_fields["kind"].annotation)
    fields = [
        field.alias for name, field in event.model_fields.items() if name != "kind"
    ]
    assert all(f"`{name}`" in row(kind) for name in fields)


def test_each_notice_option_and_shared_param_has_a_row() -> None:
    """And each reason of a model error is named."""
    for name in get_args(NoticeCode):
        assert row(name)
    for model in (ClientOptions, Params):
        for field in model.model_fields.values():
            assert row(str(field.alias))
    assert all(f"`{reason}`" in PAGE for reason in get_args(FailureReason))


def test_the_lifecycle_is_told_in_its_order() -> None:
    """As the schema has it."""
    section = PAGE.partition("## Lifecycle")[2].partition("\n## ")[0]
    told = [section.index(f"`{step['method']}`") for step in LIFECYCLE]
    assert told == sorted(told)


def test_each_kind_of_view_is_listed() -> None:
    """By the first part of its address."""
    kinds = set(re.findall(r"^\| `writeit:/(\w+)", PAGE, re.MULTILINE))
    assert kinds == {
        view.__name__.removesuffix("View").lower() for view in get_args(uris.View)
    }
