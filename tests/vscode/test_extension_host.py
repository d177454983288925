"""The extension's own tests, run inside a real VS Code's extension host."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from vscode import tools, voices
from vscode.conftest import SERVER
from vscode.driving import drive
from vscode.serving import serving
from vscode.tools import EXTENSION, ONLY

if TYPE_CHECKING:
    from vscode.conftest import Built, World
    from vscode.driving import Ended

TESTS_ALLOWED = ("--vscode-option", "enable-smoke-test-driver=true")
"""A built VS Code takes no tests otherwise; it shows no toasts with it."""
TEST = re.compile(r"TEST (ok|failed|done) (.*)", re.DOTALL)

MEASURED = re.compile(r"^activation: .*", re.MULTILINE)


class Report:
    """What the tests said about themselves."""

    def __init__(self) -> None:
        self.passed: list[str] = []
        self.failed: list[str] = []
        self.done = ""
        self.measured: list[str] = []
        self.exit: int | str | None = None
        self.log: list[str] = []

    def hear(self, event: dict[str, Any]) -> None:
        """Take in one event of the script."""
        self.exit = event.get("exit", self.exit)
        said = str(event.get("said") or event.get("error") or "")
        self.log.append(said)
        if found := MEASURED.search(said):
            self.measured.append(found[0])
        if found := TEST.search(said):
            kind, what = found.groups()
            if kind == "done":
                self.done = what
            else:
                (self.passed if kind == "ok" else self.failed).append(what)


@pytest.mark.timeout(tools.PATIENCE + 60)
async def test_each_of_the_extensions_own_tests_passes(
    built: Built,
    world: World,
    subtests: pytest.Subtests,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each is reported by its name; what they logged is kept as an artefact."""
    voices.teach(monkeypatch)
    report, ended = await run(built, world)
    log = "\n".join(report.log)
    print(*report.measured, sep="\n")  # noqa: T201 -- for who runs with -s
    (world.artefacts / "extension-host.log").write_text(log, encoding="utf-8")
    for name in report.passed:
        with subtests.test(name):
            pass
    for failure in report.failed:
        with subtests.test(failure.splitlines()[0]):
            pytest.fail(failure, pytrace=False)
    assert report.passed, f"no test was run: {ended}\n{log}"
    assert report.done, f"the tests ended early: {ended}\n{log}"
    assert ended.code == 0, ended
    assert report.exit == (1 if report.failed else 0)


async def run(built: Built, world: World) -> tuple[Report, Ended]:
    """Run them all in one VS Code."""
    world.place.prefer({})
    told = {
        "WRITEIT_TEST_SERVER": str(SERVER),
        "WRITEIT_TEST_WORKSPACE": str(world.workspace),
        "WRITEIT_TEST_ONLY": ONLY,
    }
    report = Report()
    async with serving(
        world.place,
        world.environment | told,
        world.artefacts / "code-server.log",
        *TESTS_ALLOWED,
    ) as address:
        ended = await drive(
            "exthost.mjs",
            report.hear,
            within=tools.PATIENCE,
            address=address,
            workspace=world.workspace,
            extension=EXTENSION,
            tests=built.tests,
            artefacts=world.artefacts,
        )
    return report, ended
