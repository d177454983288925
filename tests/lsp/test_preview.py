"""`step.preview` and budgets with a real server: what is sent, and what is not."""

from support.editor import Editor
from support.provider import Provider


async def test_a_preview_sends_nothing_and_shows_what_will_be_sent(
    one_editor: Editor, provider: Provider
) -> None:
    """The provider hears nothing; then it hears exactly what was shown."""
    run_id = await one_editor.start_run()
    before = len(provider.calls)
    shown = await one_editor.command(
        "writeit.step.preview", runId=run_id, models=["openai/said-1", "gpt-4o"]
    )
    assert len(provider.calls) == before
    unknown, known = shown["models"]
    assert set(unknown) == {
        *("id", "promptTokens", "contextWindow", "fits"),
        *("minCostUsd", "maxCostUsd", "destination", "allowed"),
    }
    assert [unknown[key] for key in ("contextWindow", "fits", "maxCostUsd")] == [
        None,
        None,
        None,
    ]
    assert known["id"] == "openai/gpt-4o"
    assert known["contextWindow"] == 128_000
    assert known["fits"] is True
    assert 0 < known["minCostUsd"] < known["maxCostUsd"]
    assert known["destination"] == "this machine"
    await one_editor.generate(run_id, "said-1")
    assert (await provider.call("said-1")).prompt == shown["prompt"]


async def test_a_budget_is_refused_with_its_figures(
    one_editor: Editor, provider: Provider
) -> None:
    """-32016, and the provider hears nothing."""
    run_id = await one_editor.start_run()
    before = len(provider.calls)
    one_editor.settings = {"maxCostUsd": {"run": 0.0001}}
    one_editor.notify("workspace/didChangeConfiguration", {"settings": None})
    try:
        refused = await one_editor.refusal(
            "writeit.step.run", runId=run_id, models=["openai/gpt-4o"]
        )
    finally:
        one_editor.settings = {}
        one_editor.notify("workspace/didChangeConfiguration", {"settings": None})
    assert (refused.code, refused.kind) == (-32016, "budget_exceeded")
    assert refused.data["spent"] == 0
    assert refused.data["limit"] == 0.0001
    assert refused.data["estimate"] > 0.0001
    assert len(provider.calls) == before
