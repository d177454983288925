"""What a model puts around the text it was asked for: taken off, and named.

Only the beginning and the end of an answer are taken off, never anything that the
passage itself has there, and never all of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from writeit.text.lines import CODE_FENCE, split_lines
from writeit.text.thoughts import split_thoughts

_PROSE_LANGUAGES = {
    *("", "markdown", "md", "mdx", "quarto", "qmd", "rmd"),
    *("text", "txt", "plaintext", "plain"),
}
_OPENING_TAG = re.compile(r"^<([a-z][\w-]*)>$", re.MULTILINE)
_CHANGED = (
    "revised|polished|rewritten|edited|improved|corrected|updated|shortened|tightened"
    "|merged|joined"
)
_TEXT = (
    "text|passage|version|paragraphs?|section|article|draft|outline|rewrite|revision"
    "|continuation|markdown"
)
_PART = (
    "(?:list |bullet )?(?:item|point)s?|list|sentences?|(?:table )?(?:cell|rows?)"
    "|table|heading|title|(?:block ?)?quote|footnote|definition|caption|callout|note"
)
_INTRODUCTION = "(?:here(?:['\u2019]s| is| are)|below is)"
_ANNOUNCEMENT = re.compile(
    r"(?:\W*(?:sure|certainly|of course|absolutely|okay|ok|yes|great)\b[^:\r\n]{0,40})?"
    r"\W*(?:"
    rf"{_INTRODUCTION}\b[^:\r\n]{{0,50}}\b(?:{_TEXT})\b"
    rf"|{_INTRODUCTION} (?:the |your |a )?(?:{_CHANGED}) (?:{_PART})\b"
    r"|here you (?:go|are)\b"
    rf"|i(?:['\u2019]ve| have) (?:{_CHANGED})\b"
    rf"|(?:(?:your|the|my) )?(?:{_CHANGED}) (?:{_TEXT})\b"
    r")[^:\r\n]{0,60}:\W*(?:\r\n|\r|\n)[ \t]*(?:\r\n|\r|\n)\s*",
    re.IGNORECASE,
)


_ASSENT = re.compile(
    r"(?:sure(?: thing)?|certainly|of course|absolutely)[!.]"
    r"(?:[ \t]*(?:\r\n|\r|\n)){2}\s*(?=#{1,6} |`{3}|<)",
    re.IGNORECASE,
)
"""Before a heading, code or a tag: a paragraph of prose may be the text's own."""
_YOU_WOULD = "you(?:['\u2019]d| would)"
_CHANGES = "(?:changes|revisions|adjustments|edits|tweaks)"
_OFFER = re.compile(
    r"\s*(?:\r\n|\r|\n)[ \t]*(?:\r\n|\r|\n)[ \t]*(?:-{3,}\s+)?"
    r"(?:(?:i )?hope (?:this|that|it) (?:helps|works)[^.!\r\n]{0,40}[.!][ \t]+)?(?:"
    rf"(?:please |just |feel free to )*let me know if (?:{_YOU_WOULD} (?:like|prefer)"
    rf"|you(?: want| need)) (?:me to|(?:any )?(?:more |further |other )?{_CHANGES})\b"
    rf"|(?:would you like|do you want) me to\b"
    rf"|if {_YOU_WOULD} like,? (?:i can|me to)\b"
    r")[^\r\n]{0,200}\Z",
    re.IGNORECASE,
)
"""The offer of more work with which an assistant ends; a text is not its own author."""


def clean_answer(
    raw: str, passage: str = "", prompt: str = "", document: str = ""
) -> str:
    """Return an answer without what is not part of the text.

    `passage` is the text that it was asked for, `prompt` what was sent. A tag of the
    prompt that the document has not is one of ours.
    """
    cleaners: list[Callable[[str, str], str]] = [
        _without_announcement,
        _without_offer,
        *(partial(_without_tags, label) for label in _own_labels(prompt, document)),
        _without_outer_fence,
    ]
    text, before = split_thoughts(raw, prompt, passage).text.strip(), None
    while text != before:
        before = text
        for clean in [*cleaners]:
            cleaned = clean(text, passage.strip()).strip() or text
            if clean is _without_outer_fence and cleaned != text:
                cleaners.remove(clean)  # a fence in it belongs to the text
            text = cleaned
    return text


def _own_labels(prompt: str, document: str) -> list[str]:
    """Return the labels of the prompt's tags that are not in the document."""
    return sorted(
        {
            re.sub(r"-\d+$", "", label)
            for label in _OPENING_TAG.findall(prompt)
            if f"\n</{label}>" in prompt and f"<{label}>" not in document
        }
    )


def _without_offer(text: str, passage: str) -> str:
    match = _OFFER.search(text)
    return text[: match.start()] if match and not _OFFER.search(passage) else text


def _without_announcement(text: str, passage: str) -> str:
    if (match := _ASSENT.match(text)) and not _ASSENT.match(passage):
        text = text[match.end() :]
    match = _ANNOUNCEMENT.match(text)
    if match is None or (
        _ANNOUNCEMENT.match(passage) and not _ANNOUNCEMENT.match(text, match.end())
    ):
        return text
    return text[match.end() :]


def _without_tags(label: str, text: str, passage: str) -> str:
    opening = re.compile(rf"<{re.escape(label)}(?:-\d+)?>\s*")
    closing = re.compile(rf"\s*</{re.escape(label)}(?:-\d+)?>\Z")
    if (match := opening.match(text)) and not opening.match(passage):
        text = text[match.end() :]
    if (match := closing.search(text)) and not closing.search(passage):
        text = text[: match.start()]
    return text


def _without_outer_fence(text: str, passage: str) -> str:
    """Return a text without the fence around all of it, also if it is not closed.

    A fence of a programming language stays, and so does the fence of a passage that
    is code itself.
    """
    opening = CODE_FENCE.match(text)
    info = opening["info"].strip().casefold() if opening else "-"
    if opening is None or info not in _PROSE_LANGUAGES:
        return text
    if (own := CODE_FENCE.match(passage)) and _is_in_fence(passage, own["fence"]):
        own_info = own["info"].strip().casefold()
        if info == own_info or not CODE_FENCE.match(text, opening.end()):
            return text
    lines = split_lines(text)
    return "".join(_inside_fence(lines, opening["fence"], is_wrapper=bool(info)))


def _is_in_fence(text: str, fence: str) -> bool:
    lines = split_lines(text)
    return _inside_fence(lines, fence, is_wrapper=False) != lines


def _inside_fence(lines: list[str], fence: str, *, is_wrapper: bool) -> list[str]:
    """Return the lines in the fence that the first line opens, or all lines.

    Models put code with fences of the same length into it: one with a language opens
    a block, one without ends it.
    """
    fences = [
        (n, match) for n, x in enumerate(lines) if (match := CODE_FENCE.fullmatch(x))
    ]
    inner = ""
    for n, match in fences[1:]:
        is_end = not match["info"].strip() and match["fence"].startswith(inner or fence)
        if inner:
            inner = "" if is_end else inner
        elif match["info"].strip():
            inner, is_wrapper = match["fence"], True
        elif is_end:
            if n == len(lines) - 1:
                return lines[1:n]
            if not is_wrapper or n == fences[-1][0]:
                return lines  # it ends here, and more text follows
            inner = match["fence"]
    return lines[1:]


def describe_removed(raw: str, cleaned: str) -> list[str]:
    """Return in words what `clean_answer` took off, "" around it left out."""
    split, names = split_thoughts(raw), []
    if split.thoughts and cleaned in split.text:
        names.append("its thoughts")
        raw = split.text
    start = raw.find(cleaned)
    head, tail = raw[:start].strip(), raw[start + len(cleaned) :].strip()
    for line in head.splitlines():
        if CODE_FENCE.fullmatch(line):
            names.append("the code fence around it")
        elif re.fullmatch(r"<[\w-]+>", line.strip()):
            names.append(f"the tags {line.strip()}")
        elif line.strip():
            names.append(f"the line “{line.strip()}”")
    for line in tail.splitlines():
        tag = re.fullmatch(r"</([\w-]+)>", line.strip())
        if tag and f"the tags <{tag[1]}>" not in names:
            names.append(f"the tag {line.strip()}")
        elif line.strip() and not tag and not CODE_FENCE.fullmatch(line):
            names.append(f"the line “{line.strip()}”")
    return list(dict.fromkeys(names))
