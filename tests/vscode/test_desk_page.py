"""The page of a step in a real Chromium: its HTML, policy, script and style."""

from typing import Any

import pytest

from vscode import tools
from vscode.browser_script import run_script
from vscode.conftest import Build


async def test_the_page_of_a_step(build: Build, subtests: pytest.Subtests) -> None:
    """VS Code is not needed: the script shows pages as the extension sends them."""
    events: list[dict[str, Any]] = []
    result = await run_script(
        "desk_page.mjs",
        events.append,
        timeout=tools.TIMEOUT_SECONDS,
        dist=build.bundle.parent,
        axe=tools.EXTENSION / "node_modules/axe-core/axe.min.js",
        artefacts=tools.ARTEFACTS / "test_desk_page",
    )
    assert result.code == 0, (events, result.stderr)
    checks = [event for event in events if "check" in event]
    assert checks
    for event in checks:
        with subtests.test(event["check"]):
            assert event.get("failure") is None, event["failure"]


def test_the_script_of_the_page_is_under_400_kb(build: Build) -> None:
    """Every page that opens reads it."""
    size = build.bundle.with_name("desk.js").stat().st_size
    print(f"script of the page: {size / 1000:.0f} kB")  # noqa: T201 -- for runs with -s
    assert size < 400_000
