"""The extension as people get it: one small file, with nothing they do not need."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vscode.conftest import Built

KB = 1000
UNWANTED = ("node_modules/", "src/", "test/", "dist-test/", ".map", ".ts")


def test_the_bundle_is_under_600_kb(built: Built) -> None:
    """What VS Code reads at activation."""
    size = built.bundle.stat().st_size
    print(f"bundle: {size / KB:.0f} kB")  # noqa: T201 -- measured here, noted elsewhere
    assert size < 600 * KB


def test_the_vsix_is_under_1_mb(built: Built) -> None:
    """What is downloaded."""
    size = built.vsix.stat().st_size
    print(f"vsix: {size / KB:.0f} kB")  # noqa: T201 -- as above
    assert size < 1000 * KB


def test_the_vsix_holds_only_what_runs_and_what_is_read(built: Built) -> None:
    """No sources, no tests, no packages."""
    names = zipfile.ZipFile(built.vsix).namelist()
    assert "extension/package.json" in names
    assert "extension/dist/extension.js" in names
    unwanted = [name for name in names if any(part in name for part in UNWANTED)]
    assert not unwanted
