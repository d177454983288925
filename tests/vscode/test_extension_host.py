"""The extension's own tests, run in the extension host of a real VS Code."""

import asyncio
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from vscode import tools
from vscode.browser_script import ScriptResult, run_script
from vscode.code_server import running_code_server
from vscode.conftest import SERVER, Build, Sandbox
from vscode.scripted_models import register_models
from vscode.tools import ONLY

ALLOW_TESTS = ("--vscode-option", "enable-smoke-test-driver=true")
"""Without this a built VS Code runs no tests; with it, it shows no notifications."""
RESULT_LINE = re.compile(r"TEST (ok|failed|done) (.*)", re.DOTALL)
MEASUREMENT = re.compile(r"^(activation|refresh): .*", re.MULTILINE)


class Report:
    """What the tests print."""

    def __init__(self) -> None:
        self.passed: list[str] = []
        self.failed: list[str] = []
        self.summary = ""
        self.measurements: list[str] = []
        self.exit: int | str | None = None
        self.log: list[str] = []

    def add(self, event: dict[str, Any]) -> None:
        """Add one event of the script."""
        self.exit = event.get("exit", self.exit)
        text = str(event.get("text") or event.get("error") or "")
        self.log.append(text)
        if match := MEASUREMENT.search(text):
            self.measurements.append(match[0])
        if match := RESULT_LINE.search(text):
            kind, name = match.groups()
            if kind == "done":
                self.summary = name
            else:
                (self.passed if kind == "ok" else self.failed).append(name)


@pytest.mark.timeout(tools.TIMEOUT_SECONDS + 60)
async def test_each_of_the_extensions_own_tests_passes(
    build: Build,
    sandbox: Sandbox,
    subtests: pytest.Subtests,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each is reported by its name, and the log is kept."""
    register_models(monkeypatch)
    report = Report()
    try:
        result = await run_extension_tests(build, sandbox, report)
    finally:
        log = "\n".join(report.log)
        (sandbox.artefacts / "extension-host.log").write_text(log, encoding="utf-8")
    print(*report.measurements, sep="\n")  # noqa: T201 -- for runs with -s
    for name in report.passed:
        with subtests.test(name):
            pass
    for failure in report.failed:
        with subtests.test(failure.splitlines()[0]):
            pytest.fail(failure, pytrace=False)
    assert report.passed, f"no test has run: {result}\n{log}"
    assert report.summary, f"the tests ended early: {result}\n{log}"
    assert result.code == 0, result
    assert report.exit == (1 if report.failed else 0)


async def run_extension_tests(
    build: Build, sandbox: Sandbox, report: Report
) -> ScriptResult:
    """Run all tests in one VS Code."""
    sandbox.profile.write_user_settings({})
    provider = Path(__file__).with_name("model_provider")
    await asyncio.to_thread(
        shutil.copytree, provider, sandbox.profile.extensions / "model-provider"
    )
    variables = {
        "WRITEIT_TEST_SERVER": str(SERVER),
        "WRITEIT_TEST_WORKSPACE": str(sandbox.workspace),
        "WRITEIT_TEST_ONLY": ONLY,
    }
    async with running_code_server(
        sandbox.profile,
        sandbox.environment | variables,
        sandbox.artefacts / "code-server.log",
        *ALLOW_TESTS,
    ) as address:
        return await run_script(
            "exthost.mjs",
            report.add,
            timeout=tools.TIMEOUT_SECONDS,
            address=address,
            workspace=sandbox.workspace,
            tests=build.tests,
            artefacts=sandbox.artefacts,
        )
