"""Text cut into lines and tokens, and the repair of characters that were cut apart."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

LINE_END = re.compile(r"\r\n|\r|\n")
CODE_FENCE = re.compile(r" {0,3}(?P<fence>`{3,}|~{3,})(?P<info>[^`\r\n]*)[\r\n]*")
"""A line that opens or closes a block of code."""
_LINE_WITH_END = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_SPLITLINES_EXTRAS = "\v\f\x1c\x1d\x1e\x85\u2028\u2029"
"""Where `splitlines` breaks a line although editors do not."""
UNSPACED_SCRIPTS = (
    "\u0e00-\u0eff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af"
    "\U00020000-\U0003ffff"
)
"""Letters of scripts without spaces between words, as in a set of a pattern."""
_TOKEN = re.compile(
    rf"\r\n|\r|\n|[^\S\r\n]+|[{UNSPACED_SCRIPTS}]"
    rf"|[^\W{UNSPACED_SCRIPTS}]+(?:['\u2019][^\W{UNSPACED_SCRIPTS}]+)*|[^\w\s]"
)
_FLAG_LETTERS = range(0x1F1E6, 0x1F200)
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_ZERO_WIDTH_JOINER = "\u200d"
_SURROGATE = re.compile("[\ud800-\udfff]")
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_HIDDEN = re.compile(
    "[\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u202a-\u202e"
    "\u2028\u2029\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\ud800-\udfff"
    "\U00013430-\U00013438\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff]"
    "|(?<![^\x00-\x7f])[\u180b-\u180f\u200c\u200d]|[\u200c\u200d](?![^\x00-\x7f])"
    "|(?<![^\x00-\x7f])(?<![#*0-9])[\ufe00-\ufe0f]"
)
"""Characters that show nothing or turn the direction; joiners of letters are none."""
_CONTROL_PICTURES = 0x2400
"""The first of the Unicode pictures of control characters."""


def escape_controls(text: str) -> str:
    """Replace control characters, so that a text cannot steer a terminal."""
    return CONTROL.sub(_picture, text.replace("\r\n", "\n"))


def _picture(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:  # noqa: PLR2004 -- the C0 controls
        return chr(_CONTROL_PICTURES + code)
    return (
        "\N{SYMBOL FOR DELETE}" if match[0] == "\x7f" else "\N{REPLACEMENT CHARACTER}"
    )


def make_visible(text: str) -> str:
    """Replace control, zero-width and bidirectional characters by what shows them."""
    if text.isascii() and text.isprintable():
        return text
    return _HIDDEN.sub(lambda match: f"<U+{ord(match[0]):04X}>", escape_controls(text))


def split_lines(text: str) -> list[str]:
    """Split a text into lines with their ends: LF, CRLF or CR, as in LSP."""
    if any(character in text for character in _SPLITLINES_EXTRAS):
        return _LINE_WITH_END.findall(text)
    return text.splitlines(keepends=True)


def line_end(line: str) -> str:
    """Return the line end of a line, or ""."""
    return line[len(line.rstrip("\r\n")) :]


def first_line_end(text: str) -> str:
    """Return the first line end of a text; LF if it has none."""
    match = LINE_END.search(text)
    return match[0] if match else "\n"


def find_paragraph(
    text: str, line: int, limits: tuple[int, int]
) -> tuple[int, int, str]:
    """Return the first and last line of the paragraph at `line`, and its text.

    It does not leave `limits`, a first and a last line; all count from 0.
    """
    lines = split_lines(text)
    first = last = line
    while first > limits[0] and lines[first - 1].strip():
        first -= 1
    while last < min(limits[1], len(lines) - 1) and lines[last + 1].strip():
        last += 1
    return first, last, "".join(lines[first : last + 1])


def stand_in(words: str, text: str) -> bool:
    """Whether words stand in a text as whole words."""
    at = text.find(words)
    while at >= 0:
        end = at + len(words)
        around = (text[max(0, at - 1) : at + 1], text[end - 1 : end + 1])
        if not any(len(pair) > 1 and pair.isalnum() for pair in around):
            return True
        at = text.find(words, at + 1)
    return False


def fold_space(text: str) -> str:
    """Return a text with each stretch of white space as one space."""
    return " ".join(text.split())


def first_words(text: str) -> str:
    """Return the first words of a text on one line: 120 characters of it."""
    return fold_space(text[:120])


def split_tokens(text: str) -> list[str]:
    """Split a text into words, spaces, line ends and signs; joined they are the text.

    What a reader sees as one character stays in one token: a letter with its
    combining marks, an emoji of several code points, a flag.
    """
    tokens = _TOKEN.findall(text)
    return tokens if text.isascii() else list(_join_graphemes(tokens))


def _join_graphemes(tokens: list[str]) -> Iterator[str]:
    grapheme = ""
    for token in tokens:
        if grapheme and _continues_grapheme(grapheme, token):
            grapheme += token
        else:
            if grapheme:
                yield grapheme
            grapheme = token
    if grapheme:
        yield grapheme


def _continues_grapheme(grapheme: str, token: str) -> bool:
    first = token[0]
    if first.isascii() or grapheme.isspace():
        return False
    if ord(first) in _FLAG_LETTERS:
        return len(grapheme) == 1 and ord(grapheme) in _FLAG_LETTERS
    return (
        first == _ZERO_WIDTH_JOINER
        or grapheme[-1] == _ZERO_WIDTH_JOINER
        or ord(first) in _SKIN_TONES
        or unicodedata.category(first).startswith("M")
    )


def repair_surrogates(text: str) -> str:
    """Join the UTF-16 halves of characters and replace halves that stand alone.

    Editors and JSON count in UTF-16 and can cut a character in two. A lone half can
    be neither stored nor sent.
    """
    if not _SURROGATE.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


class SurrogateJoiner:
    """Joins UTF-16 halves that arrive in separate pieces of a stream."""

    def __init__(self) -> None:
        self._high_half = ""

    def feed(self, text: str) -> str:
        """Take the next piece and return all complete characters."""
        text = self._high_half + text
        self._high_half = text[-1] if "\ud800" <= text[-1:] <= "\udbff" else ""
        return repair_surrogates(text.removesuffix(self._high_half))

    def finish(self) -> str:
        """Return the replacement of a half that was never completed, or ""."""
        return repair_surrogates(self._high_half)
