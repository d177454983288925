"""The packaged extension: small, without superfluous files."""

import zipfile

from vscode.conftest import Build

KB = 1000
UNWANTED = ("node_modules/", "src/", "test/", "dist-test/", ".map", ".ts")


def test_the_bundle_is_under_600_kb(build: Build) -> None:
    """VS Code reads the bundle at activation."""
    size = build.bundle.stat().st_size
    print(f"bundle: {size / KB:.0f} kB")  # noqa: T201 -- for runs with -s
    assert size < 600 * KB


def test_the_vsix_is_under_1_mb(build: Build) -> None:
    """Users download the .vsix."""
    size = build.vsix.stat().st_size
    print(f"vsix: {size / KB:.0f} kB")  # noqa: T201 -- as above
    assert size < 1000 * KB


def test_the_vsix_has_no_sources_or_tests(build: Build) -> None:
    """It has the bundle, the manifest and texts only."""
    names = zipfile.ZipFile(build.vsix).namelist()
    assert "extension/package.json" in names
    assert "extension/dist/extension.js" in names
    unwanted = [name for name in names if any(part in name for part in UNWANTED)]
    assert not unwanted
