"""A step's text in the writer's document: that it lands once and nothing is lost."""

import asyncio
import os
import signal
from typing import Any

import pytest

from support.document import Behavior
from support.open_documents import BETTER, SECOND, TEXT, OpenDocuments


async def test_a_passage_is_replaced_once_in_one_edit(docs: OpenDocuments) -> None:
    """The words that change and no others; a second apply finds it there."""
    page = docs.open()
    run_id = await docs.polished(page)
    result = await docs.apply(run_id)
    assert result == {
        "applied": True,
        "uri": page.uri,
        "merged": False,
        "conflicts": [],
        "pending": False,
        "reason": None,
    }
    assert page.text == TEXT.replace(SECOND, BETTER)
    assert page.version == 2
    assert (await docs.apply(run_id))["applied"]
    assert page.version == 2


async def test_text_typed_since_the_run_started_stays(docs: OpenDocuments) -> None:
    """In other paragraphs, and in the same one where the words allow it."""
    page = docs.open()
    run_id = await docs.polished(page)
    page.type(0, 0, "Early. ")
    at = page.text.index("mills")
    page.type(at, at, "old ")
    result = await docs.apply(run_id)
    assert result["merged"]
    assert page.text == "Early. " + TEXT.replace(SECOND, BETTER).replace(
        "mills", "old mills"
    )


async def test_the_users_text_stays_where_both_changed_it_and_is_reported(
    docs: OpenDocuments,
) -> None:
    """Conflicts are a result, not an error; who waits for it says it in its own way."""
    page = docs.open()
    said = len(docs.editor.sent("window/showMessage"))
    run_id = await docs.polished(page)
    at = page.text.index("further down")
    page.type(at, at + 12, "upstream")
    text = page.text
    result = await docs.apply(run_id)
    assert not result["applied"]
    assert not result["pending"]
    (conflict,) = result["conflicts"]
    assert "upstream" in conflict["ours"]
    assert BETTER in conflict["theirs"]
    assert page.text == text
    assert len(docs.editor.sent("window/showMessage")) == said


@pytest.mark.parametrize("manner", ["honest", "lies", "errors", "refuses", "lags"])
async def test_every_manner_of_client_gets_there(
    docs: OpenDocuments, manner: Behavior
) -> None:
    """Refusals, lies, errors and lateness change nothing about the result."""
    page = docs.open(manner=manner)
    run_id = await docs.polished(page)
    applying = asyncio.create_task(docs.apply(run_id))
    for word in ("meanwhile. ", "types ", "You "):
        page.type(0, 0, word)
        await asyncio.sleep(0.02)
    result = await docs.insist(run_id, await applying)
    assert result["applied"]
    assert BETTER in page.text
    assert page.text.count("mills") == 1
    assert page.text.startswith("You types meanwhile. ")


async def test_a_server_that_stood_still_hears_what_the_editor_did_meanwhile(
    docs: OpenDocuments,
) -> None:
    """Its time for the reply is over when it comes to itself; the reply is there."""
    page = docs.open()
    run_id = await docs.polished(page)
    take, pid = docs.editor.answers["workspace/applyEdit"], docs.editor.process.pid

    def stand_still_and_take(params: Any) -> Any:
        docs.editor.answers["workspace/applyEdit"] = take
        os.kill(pid, signal.SIGSTOP)
        asyncio.get_running_loop().call_later(3, os.kill, pid, signal.SIGCONT)
        return take(params)

    docs.editor.answers["workspace/applyEdit"] = stand_still_and_take
    result = await docs.apply(run_id)
    assert (result["applied"], result["pending"]) == (True, False)
    assert page.text == TEXT.replace(SECOND, BETTER)


async def test_a_client_that_never_does_it_leaves_it_pending(
    docs: OpenDocuments,
) -> None:
    """It is kept and offered again; when the client can, it lands."""
    page = docs.open(manner="deaf")
    run_id = await docs.polished(page)
    result = await docs.apply(run_id)
    assert (result["applied"], result["pending"]) == (False, True)
    assert page.text == TEXT
    page.manner = "honest"
    assert (await docs.apply(run_id))["applied"]
    assert BETTER in page.text


async def test_restore_brings_the_writers_text_back(docs: OpenDocuments) -> None:
    """As it was before, except for what was typed since; once."""
    page = docs.open()
    run_id = await docs.polished(page)
    await docs.apply(run_id)
    page.type(0, 0, "Later. ")
    result = await docs.editor.command("writeit.edit.restore", runId=run_id)
    assert result == {"applied": True, "uri": page.uri}
    assert page.text == "Later. " + TEXT
    refused = await docs.editor.refusal("writeit.edit.restore", runId=run_id)
    assert refused.kind == "not_found"


async def test_what_was_applied_is_in_the_runs_history(docs: OpenDocuments) -> None:
    """With the text it replaced; a paused run stays paused."""
    page = docs.open()
    run_id = await docs.run(page.uri, page.text)
    await docs.editor.command("writeit.run.pause", runId=run_id)
    await docs.apply(run_id, mode="insert")
    run = await docs.editor.show(run_id)
    assert run["status"] == "PAUSED"
    kept = await docs.editor.command("writeit.run.export", runId=run_id, format="json")
    assert '"text_applied"' in kept["content"]
    assert page.text == TEXT + "\n" + BETTER + "\n"


async def test_a_passage_that_is_gone_refuses_and_changes_nothing(
    docs: OpenDocuments,
) -> None:
    """Deleted, not edited."""
    page = docs.open()
    run_id = await docs.polished(page)
    at = page.text.index(SECOND)
    page.type(at, at + len(SECOND), "")
    text = page.text
    refused = await docs.editor.refusal("writeit.step.apply", runId=run_id)
    assert refused.kind == "document_changed"
    assert page.text == text


async def test_only_a_finished_step_is_applied(docs: OpenDocuments) -> None:
    """Nothing chosen, nothing to apply; a refusal is the reply also without waiting."""
    page = docs.open()
    run_id = await docs.editor.start_run(uri=page.uri)
    for wait in (True, False):
        refused = await docs.editor.refusal(
            "writeit.step.apply", runId=run_id, wait=wait
        )
        assert refused.kind == "invalid_transition"


async def test_who_does_not_wait_is_answered_at_once(docs: OpenDocuments) -> None:
    """The text lands; the stream says when."""
    page = docs.open()
    run_id = await docs.polished(page)
    result = await docs.apply(run_id, wait=False, streamToken=run_id)
    assert result == {"runId": run_id, "step": "polish"}
    await docs.editor.until(lambda: docs.editor.progress(run_id))
    assert docs.editor.progress(run_id)[-1]["kind"] == "ended"
    assert BETTER in page.text
