"""Links and repository paths in the documentation exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "server" / "writeit"
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
EXAMPLE = "document_link"
"""The feature that docs/adding-a.md tells a contributor to write."""
_TOP = "benchmarks|docs|examples|neovim|scripts|server|tests|vscode-extension"
_PACKAGES = "|".join(path.name for path in PACKAGE.iterdir() if path.is_dir())
_LINK = re.compile(r"\]\((?!\w+:)([^)#\s]*)(?:#([^)\s]+))?\)")
_PATH = re.compile(rf"`((?:{_TOP}|{_PACKAGES})/[\w./-]+|[\w/-]+/\w+\.py)`")


def heading_anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", text.lower()).replace(" ", "-") for text in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_and_paths_exist(page: Path) -> None:
    """Relative links, their anchors, and paths in back-ticks."""
    text = re.sub(r"(?ms)^```.*?^```", "", page.read_text("utf-8"))
    for name, anchor in _LINK.findall(text):
        target = page.parent / name if name else page
        assert target.exists(), name
        assert not anchor or anchor in heading_anchors(target), anchor
    for path in _PATH.findall(text):
        exists = (ROOT / path).exists() or (PACKAGE / path).exists()
        assert exists or EXAMPLE in path, path
