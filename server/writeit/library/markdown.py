"""What is read out of a markdown text."""

from __future__ import annotations

import re

_HEADING = re.compile(r" {0,3}#(?:[ \t]+(?P<title>.*?))?(?:[ \t]+#+)?[ \t]*")
_FENCE = re.compile(r" {0,3}(?P<fence>`{3,}|~{3,})(?P<info>.*)")


def title_of(body: str) -> str:
    """Return the text of the first `# heading` outside code, or ""."""
    fence = ""
    for line in body.splitlines():
        if fence:
            fence = "" if _closes(line, fence) else fence
        elif opening := _FENCE.fullmatch(line):
            fence = opening["fence"]
        elif (heading := _HEADING.fullmatch(line)) and heading["title"]:
            return str(heading["title"])
    return ""


def _closes(line: str, fence: str) -> bool:
    match = _FENCE.fullmatch(line)
    if match is None or match["info"].strip():
        return False
    return match["fence"].startswith(fence)
