"""The packaged extension: small, without superfluous files."""

import re
import zipfile

from vscode.conftest import Build

KB = 1000
NEEDED = (
    *("package.json", "package.nls.json", "l10n/bundle.l10n.json", "dist/extension.js"),
    *("readme.md", "changelog.md", "LICENSE.txt", "media/icon.png"),
)
UNWANTED = ("node_modules/", "src/", "test/", "dist-test/", ".map", ".ts")


def test_the_bundle_is_under_600_kb(build: Build) -> None:
    """VS Code reads the bundle at activation."""
    size = build.bundle.stat().st_size
    print(f"bundle: {size / KB:.0f} kB")  # noqa: T201 -- for runs with -s
    assert size < 600 * KB


def test_the_vsix_is_under_3_mb(build: Build) -> None:
    """Users download the .vsix."""
    size = build.vsix.stat().st_size
    print(f"vsix: {size / KB:.0f} kB")  # noqa: T201 -- as above
    assert size < 3000 * KB


def test_the_vsix_has_the_server_and_what_the_marketplace_shows(build: Build) -> None:
    """And no sources or tests."""
    files = zipfile.ZipFile(build.vsix).infolist()
    listing = [f"{file.file_size:9} {file.filename}" for file in files]
    print(*listing, sep="\n")  # noqa: T201 -- as above
    names = {file.filename for file in files}
    assert names >= {f"extension/{name}" for name in NEEDED}
    assert any(
        re.fullmatch(r"extension/server/writeit-.*\.whl", name) for name in names
    )
    assert not [name for name in names if any(part in name for part in UNWANTED)]
