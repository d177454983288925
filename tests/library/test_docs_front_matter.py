"""The page on front matter names every rule, and nothing that is none."""

import re
from pathlib import Path
from typing import get_args

from writeit.library.yaml_source import ProblemCode

PAGE = (Path(__file__).parents[2] / "docs" / "front-matter.md").read_text("utf-8")


def test_every_rule_is_in_the_table() -> None:
    """And every row is a rule."""
    rows = re.findall(r"^\| `([a-z-]+)` \| (?:error|warning) \|", PAGE, re.MULTILINE)
    assert rows == [code for code in get_args(ProblemCode) if code]
