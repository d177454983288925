"""Her texts as files, where something else than an editor has its hands on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.desk import BETTER, SECOND, file_of

if TYPE_CHECKING:
    from support.desk import Desk

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_closed_text_that_is_too_long_is_refused_and_left(desk: Desk) -> None:
    """It is not read by halves; where the answer is kept is said."""
    text = f"{SECOND}\n" + "A line of a very long book.\n" * 200_000
    page = desk.open(text)
    run_id = await desk.polished(page)
    page.close()
    refused = await desk.editor.refusal("writeit.step.apply", runId=run_id)
    assert refused.kind == "invalid_params"
    assert "kept" in refused.data["hint"]
    assert file_of(page.uri).read_text(encoding="utf-8") == text
    page = desk.open(text, uri=page.uri)
    assert (await desk.apply(run_id))["applied"]
    assert page.text.startswith(BETTER)


async def test_a_text_with_the_longest_name_there_is_takes_an_edit(desk: Desk) -> None:
    """What stands beside it for a moment has a shorter one."""
    path = desk.path().with_name("é" * 125 + ".md")
    path.write_text(f"{SECOND}\n", encoding="utf-8")
    run_id = await desk.run(path.as_uri(), f"{SECOND}\n", SECOND)
    assert (await desk.apply(run_id))["applied"]
    assert path.read_text(encoding="utf-8") == f"{BETTER}\n"
