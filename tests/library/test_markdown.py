"""The title of a document."""

# ruff: noqa: D103 -- the name of a test is its promise

from __future__ import annotations

import pytest

from writeit.text.markdown import first_title


@pytest.mark.parametrize(
    ("body", "title"),
    [
        ("# A title\n\ntext", "A title"),
        ("text\n\n# Later\n# Second\n", "Later"),
        ("   #\tIndented  \n", "Indented"),
        ("# Closed ##\n", "Closed"),
        ("# C# and F#\n", "C# and F#"),
        ("#\n# Second\n", "Second"),
        ("```sh\n# a comment\n```\n# Title\n", "Title"),
        ("~~~~\n# a\n~~~\n# b\n~~~~~\n# Title", "Title"),
        ("```\n# never closed\n", ""),
        ("## Only a section\n", ""),
        ("#hashtag\n", ""),
        ("    # code\n", ""),
        ("# Windows\r\ntext", "Windows"),
        ("", ""),
    ],
)
def test_the_title_is_the_first_heading_of_the_first_level(
    body: str, title: str
) -> None:
    assert first_title(body) == title
