"""No click and no file spends more than the user knows of."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from support.attacks import add_pipeline
from support.editor import Editor
from support.model_words import escape
from support.provider import Provider
from writeit.domain.session import Settings, problem_with
from writeit.llm.errors import parse_retry_after

pytestmark = pytest.mark.asyncio(loop_scope="session")

MODEL = "openai/say-hello"


async def run_of(editor: Editor, pipeline: str = "tech-article") -> str:
    """Start a run."""
    return await editor.start_run(pipeline=pipeline)


FILES = {
    "samples": "models: [openai/say-a], samples: 5",
    "models": "models: [openai/say-a, openai/say-b, openai/say-c, openai/say-d,"
    " openai/say-e]",
    "both": "models: [openai/say-a, openai/say-b], samples: 3",
}


@pytest.mark.parametrize("name", FILES)
async def test_a_pipeline_of_the_folder_needs_consent_for_more_than_four_calls(
    cloned: Editor, provider: Provider, name: str
) -> None:
    """Nothing is sent until then, and all of it afterwards."""
    add_pipeline(cloned.folder, name, FILES[name])
    before, run_id = len(provider.calls), await run_of(cloned, name)
    refusal = await cloned.refusal("writeit.step.run", runId=run_id)
    assert refusal.kind == "budget_exceeded"
    assert refusal.data["calls"] > 4
    assert provider.calls[before:] == []
    await cloned.command("writeit.step.run", runId=run_id, confirmed=True)
    assert len(provider.calls) - before == refusal.data["calls"]


async def test_front_matter_needs_consent_for_more_than_four_calls(
    cloned: Editor, provider: Provider
) -> None:
    """As a pipeline; a code action repeats the command."""
    path = cloned.folder / "greedy.md"
    models = ", ".join(f"openai/say-{n}" for n in range(5))
    path.write_text(f"---\nwriteit:\n  models: {{angles: [{models}]}}\n---\nNotes.\n")
    uri = cloned.open_document(path)
    before = len(provider.calls)
    run_id = await cloned.start_run(uri=uri)
    refusal = await cloned.refusal("writeit.step.run", runId=run_id)
    assert refusal.data["calls"] == 5
    assert provider.calls[before:] == []
    actions = await cloned.request(
        "textDocument/codeAction",
        {
            "textDocument": {"uri": uri},
            "range": {
                "start": {"line": 5, "character": 0},
                "end": {"line": 5, "character": 0},
            },
            "context": {"diagnostics": []},
        },
    )
    (again,) = [a for a in actions if "Generate All 5 Answers" in a["title"]]
    assert again["command"]["arguments"][0]["confirmed"] is True


async def test_a_dialog_repeats_the_command_on_yes(
    cloned: Editor, provider: Provider
) -> None:
    """The refusal was the reply; the calls are made when the user agrees."""
    add_pipeline(cloned.folder, "dialog", "models: [openai/say-yes], samples: 6")
    run_id = await run_of(cloned, "dialog")
    asked: list[Any] = []

    def agree(params: Any) -> Any:
        asked.append(params)
        return params["actions"][0]

    cloned.answers["window/showMessageRequest"] = agree
    before = len(provider.calls)
    try:
        await cloned.refusal("writeit.step.run", runId=run_id)
        await provider.call("say-yes", nth=5)
    finally:
        del cloned.answers["window/showMessageRequest"]
    assert len(asked) == 1
    assert "6 calls" in asked[0]["message"]
    assert len(provider.calls) - before == 6


async def test_four_calls_of_a_file_need_no_consent(cloned: Editor) -> None:
    """That many are usual."""
    add_pipeline(cloned.folder, "modest", "models: [openai/say-a], samples: 4")
    run_id = await run_of(cloned, "modest")
    state = await cloned.command("writeit.step.run", runId=run_id)
    assert len(state["aiResponses"]) == 4


async def test_more_than_twenty_calls_need_consent_whoever_names_them(
    cloned: Editor, provider: Provider
) -> None:
    """Three models and seven samples are 21."""
    before, run_id = len(provider.calls), await run_of(cloned)
    models = [f"openai/say-{n}" for n in range(3)]
    refusal = await cloned.refusal(
        "writeit.step.run", runId=run_id, models=models, samples=7
    )
    assert refusal.data["calls"] == 21
    assert provider.calls[before:] == []


WRONG_LIMITS: dict[str, Any] = {
    "negative": {"run": -1},
    "text": {"run": "5"},
    "not a number": {"run": "nan"},
    "true": {"day": True},
    "a list": {"run": [5]},
    "an unknown key": {"runs": 5},
    "an unknown key beside a right one": {"run": 5, "Day": 1},
    "a number alone": 5,
    "a text alone": "5",
    "unknown as true": {"run": 5, "unknown": True},
    "infinite": {"run": 1e999},
}


@pytest.mark.parametrize("limits", WRONG_LIMITS.values(), ids=WRONG_LIMITS.keys())
async def test_a_limit_that_cannot_be_read_is_a_problem(limits: Any) -> None:
    """It never becomes no limit."""
    assert problem_with(Settings, "maxCostUsd", limits)


WRONG_KEYS = {
    "a wrong value": {"maxCostUsd": {"run": -1}},
    "a wrong case": {"maxCostUSD": {"run": 1}},
    "a flat key": {"maxCostUsd.run": 1},
    "a plural": {"maxCostsUsd": {"run": 1}},
}


@pytest.mark.parametrize("settings", WRONG_KEYS.values(), ids=WRONG_KEYS.keys())
async def test_a_wrong_limit_stops_sending(
    cloned: Editor, provider: Provider, settings: Any
) -> None:
    """Until it is corrected."""
    run_id, before = await run_of(cloned), len(provider.calls)
    await set_settings(cloned, settings)
    refusal = await cloned.refusal("writeit.step.run", runId=run_id, models=[MODEL])
    await set_settings(cloned, {})
    assert refusal.kind == "budget_exceeded"
    assert "maxCostUsd is not valid" in str(refusal)
    assert provider.calls[before:] == []


async def set_settings(editor: Editor, settings: Any) -> None:
    """Change the settings of the editor."""
    editor.settings = settings
    editor.notify("workspace/didChangeConfiguration", {"settings": None})
    await editor.command("writeit.session.show")


ODD_USAGE: dict[str, Any] = {
    "negative": '{"prompt_tokens": -5, "completion_tokens": -9, "total_tokens": -14}',
    "negative completion": '{"prompt_tokens": 5, "completion_tokens": -1}',
    "huge": '{"prompt_tokens": 1e30, "completion_tokens": 10, "total_tokens": 10}',
    "huge integers": '{"prompt_tokens": 9, "completion_tokens": 99999999999999}',
    "text": '{"prompt_tokens": "many", "completion_tokens": "more"}',
    "nothing": '{"prompt_tokens": null, "completion_tokens": null}',
    "negative details": '{"prompt_tokens": 5, "completion_tokens": 2, "total_tokens":'
    ' 7, "prompt_tokens_details": {"cached_tokens": -1000000}}',
    "odd details": '{"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7,'
    ' "completion_tokens_details": {"reasoning_tokens": "x"}}',
}


@pytest.mark.parametrize("usage", ODD_USAGE.values(), ids=ODD_USAGE.keys())
async def test_odd_numbers_of_a_provider_never_hold_an_answer(
    cloned: Editor, usage: str
) -> None:
    """It ends with its text, and with numbers that can be."""
    run_id = await run_of(cloned)
    state = await asyncio.wait_for(
        cloned.command(
            "writeit.step.run", runId=run_id, models=[f"openai/usage-{escape(usage)}"]
        ),
        30,
    )
    (answer,) = state["aiResponses"]
    assert answer["usageStats"]["promptTokens"] >= 0
    assert 0 <= answer["usageStats"]["completionTokens"] < 1_000_000
    assert (answer["usageStats"]["costUsd"] or 0) >= 0


@pytest.mark.parametrize(
    "headers",
    [
        {"retry-after": "9" * 300},
        {"retry-after": "99999999"},
        {"retry-after-ms": "1e300"},
        {"retry-after": "inf"},
        {"retry-after": "nan"},
        {"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT"},
    ],
)
async def test_a_provider_makes_nobody_wait_for_over_a_week(
    headers: dict[str, str],
) -> None:
    """Whatever its header says."""
    assert (parse_retry_after(headers) or 0.0) <= 7 * 24 * 3600


async def test_a_limit_can_only_be_lowered_by_a_workspace() -> None:
    """The settings that name hosts, programs and prices are the user's own."""
    package = Path(__file__).parents[2] / "vscode-extension" / "package.json"
    text = package.read_text(encoding="utf-8")
    for setting in ("models.ollamaUrl", "storeLocation", "server.path"):
        described = text[text.index(f'"writeit.{setting}": ') :]
        scope = described[described.index('"scope"') :].split('"')[3]
        assert scope == "machine", setting
