"""Streams and cancels: in order, whole, and nothing lost when they are cut."""

import asyncio
from typing import Any

import pytest

from support.editor import Editor, Refused
from support.provider import Provider
from support.waiting import TIMEOUT


def deltas(values: list[dict[str, Any]], response_id: str) -> list[dict[str, Any]]:
    """The deltas of one answer."""
    return [
        v for v in values if v["kind"] == "delta" and v["responseId"] == response_id
    ]


async def test_deltas_joined_are_the_raw_output(one_editor: Editor) -> None:
    """In order per answer, without gaps, byte for byte."""
    run_id = await one_editor.start_run()
    state = await one_editor.generate(
        run_id, "utf8", "length-3", "slow-5", streamToken="joined"
    )
    values = one_editor.progress("joined")
    assert values[0]["kind"] == "started"
    assert "length" in {answer["finishReason"] for answer in state["aiResponses"]}
    for index, answer in enumerate(state["aiResponses"]):
        mine = deltas(values, answer["responseId"])
        assert [v["seq"] for v in mine] == list(range(len(mine)))
        assert "".join(v["text"] for v in mine) == answer["rawOutput"]
        (end,) = [
            v
            for v in values
            if v["kind"] == "finished" and v["responseId"] == answer["responseId"]
        ]
        assert end["index"] == index
        assert end["status"] == "complete"
        assert end["finishReason"] == answer["finishReason"]


async def test_all_progress_precedes_the_reply(one_editor: Editor) -> None:
    """Whoever waits for the reply has seen the whole stream."""
    run_id = await one_editor.start_run()
    number, reply = one_editor.start(
        "writeit.step.run",
        runId=run_id,
        models=["openai/fast-50"],
        streamToken="before",
    )
    await reply
    kinds = [
        "reply" if m.get("id") == number and "method" not in m else m["method"]
        for m in one_editor.messages
        if m.get("id") == number
        or (m.get("method") == "$/progress" and m["params"]["token"] == "before")
    ]
    assert kinds[-1] == "reply"
    assert kinds.count("reply") == 1


async def test_without_waiting_the_reply_comes_at_once_and_the_stream_says_the_end(
    one_editor: Editor, provider: Provider
) -> None:
    """`wait: false` replies {runId, step}; the stream ends with `ended`."""
    run_id = await one_editor.start_run()
    accepted = await one_editor.generate(
        run_id, "held-5-later", streamToken="later", wait=False
    )
    assert accepted == {"runId": run_id, "step": "angles"}
    shown = await one_editor.show(run_id)
    assert shown["steps"]["angles"]["streaming"]
    provider.let_go("openai/held-5-later")
    await one_editor.until(
        lambda: any(v["kind"] == "ended" for v in one_editor.progress("later"))
    )
    end = one_editor.progress("later")[-1]
    assert end == {"kind": "ended", "runId": run_id, "step": "angles"}


async def test_without_waiting_a_refusal_is_still_the_reply(one_editor: Editor) -> None:
    """A refusal is always the reply."""
    run_id = await one_editor.start_run()
    refused = await one_editor.refusal(
        "writeit.step.run", runId=run_id, step="nowhere", wait=False
    )
    assert refused.kind == "not_found"


async def test_a_cancelled_request_keeps_what_came(
    one_editor: Editor, provider: Provider
) -> None:
    """-32800, the provider's line closed, a partial answer, the run PAUSED."""
    run_id, number, reply = await one_editor.streaming("slow-5001", "cancelled")
    call = await provider.call("slow-5001")
    one_editor.cancel(number)
    with pytest.raises(Refused) as refused:
        await reply
    assert refused.value.code == -32800
    await asyncio.wait_for(call.disconnected.wait(), TIMEOUT)
    run = await one_editor.show(run_id)
    assert run["status"] == "PAUSED"
    (answer,) = run["steps"]["angles"]["aiResponses"]
    assert answer["partial"]
    streamed = deltas(one_editor.progress("cancelled"), answer["responseId"])
    assert answer["rawOutput"] == "".join(v["text"] for v in streamed)
    assert one_editor.progress("cancelled")[-1]["status"] == "partial"


async def test_a_partial_answer_can_be_chosen(one_editor: Editor) -> None:
    """It is an answer like any other, and choosing it resumes the run."""
    run_id, _, reply = await one_editor.streaming("slow-5002", "partial")
    paused = await one_editor.command("writeit.run.pause", runId=run_id)
    state = await reply
    assert paused["status"] == "PAUSED"
    assert state["aiResponses"][0]["partial"]
    run = await one_editor.choose(run_id)
    assert run["status"] == "RUNNING"
    assert run["currentStep"] == "outline"


async def test_cancelling_the_progress_answers_with_the_step(
    one_editor: Editor,
) -> None:
    """window/workDoneProgress/cancel stops the answers; the reply is the StepState."""
    run_id = await one_editor.start_run()
    _, reply = one_editor.start(
        "writeit.step.run",
        work_done_token="my-token",
        runId=run_id,
        models=["openai/slow-5003"],
        streamToken="progress-cancel",
    )
    await one_editor.until(lambda: len(one_editor.progress("progress-cancel")) > 2)
    one_editor.notify("window/workDoneProgress/cancel", {"token": "my-token"})
    state = await reply
    assert state["aiResponses"][0]["partial"]
    kinds = [value["kind"] for value in one_editor.progress("my-token")]
    assert kinds[0] == "begin"
    assert kinds[-1] == "end"


async def test_the_server_makes_its_own_progress_where_the_editor_can_show_it(
    editor: Editor,
) -> None:
    """Created, begun, ended; an editor that cannot show it is not asked."""
    before = len(editor.sent("window/workDoneProgress/create"))
    await editor.answered("fast-5")
    created = editor.sent("window/workDoneProgress/create")[before:]
    if editor.profile == "bare":
        assert created == []
        return
    kinds = [value["kind"] for value in editor.progress(created[0]["token"])]
    assert kinds[0] == "begin"
    assert kinds[-1] == "end"


async def test_nothing_is_decided_about_a_run_that_streams(one_editor: Editor) -> None:
    """Select and a second step.run are busy; show is not."""
    run_id, _, reply = await one_editor.streaming("slow-5004", "busy")
    for command, more in (
        ("writeit.step.run", {}),
        ("writeit.step.select", {"response": 0}),
    ):
        refused = await one_editor.refusal(command, runId=run_id, **more)
        assert refused.kind == "busy"
    await one_editor.command("writeit.run.pause", runId=run_id)
    await reply


async def test_a_rate_limit_is_waited_out_where_the_writer_can_see_it(
    one_editor: Editor, provider: Provider
) -> None:
    """Three attempts before the first token, each told as a notice."""
    run_id = await one_editor.start_run()
    state = await one_editor.generate(run_id, "flaky-2", streamToken="flaky")
    assert len(state["aiResponses"]) == 1
    notices = [v for v in one_editor.progress("flaky") if v["kind"] == "notice"]
    assert [notice["code"] for notice in notices] == ["retrying", "retrying"]
    assert len([c for c in provider.calls if c.model == "flaky-2"]) == 3
