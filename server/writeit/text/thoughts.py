"""The thoughts that a model writes into its answer, told apart from its text.

A thought stands between tags, such as `<think>` and `</think>`. The opening tag may be
missing because the model's template has it already, and the closing one because the
answer was cut. A tag in a code fence or in inline code belongs to the text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import ceil
from typing import Final, Literal

from writeit.text.lines import CODE_FENCE

_CLOSINGS: Final = {
    "<think>": "</think>",
    "<thinking>": "</thinking>",
    "<seed:think>": "</seed:think>",
    "◁think▷": "◁/think▷",
    "[THINK]": "[/THINK]",
    "<|begin_of_thought|>": "<|end_of_thought|>",
    "<|start_thinking|>": "<|end_thinking|>",
    "<longcat_think>": "</longcat_think>",
    "<|channel|>analysis<|message|>": "<|start|>assistant<|channel|>final<|message|>",
    "<thought>": "</thought>",
    "<reasoning>": "</reasoning>",
}
"""The closing tag of each opening one. Capitals count only in `[THINK]`."""
_LONE_CLOSINGS: Final = [*_CLOSINGS.values()][:8]
"""The closing tags that no other text has, so that they need no opening one."""


def _pattern(tags: list[str]) -> re.Pattern[str]:
    parts = (f"(?{'-i' * ('[' in tag)}:{re.escape(tag)})" for tag in tags)
    return re.compile("|".join(parts), re.IGNORECASE)


_OPENING = _pattern([*_CLOSINGS])
_LONE_CLOSING = _pattern(_LONE_CLOSINGS)
_ANY_TAG = _pattern([*_CLOSINGS, *_CLOSINGS.values()])

TagPlaces = Literal["anywhere", "start", "nowhere"]
"""Where tags mark thoughts: "start" is an opening tag at the start of the answer."""
_REMEMBERED = 100
"""Characters of a long line that are looked at again; longer than every tag."""


def estimated_tokens(text: str) -> int:
    """Return about how many tokens a text has: rather more than too few, never 0.

    English has about four bytes to a token, and other scripts about three; loading a
    real tokenizer takes longer than the first word of an answer.
    """
    ascii_bytes = sum(map(str.isascii, text)) if not text.isascii() else len(text)
    other = len(text.encode(errors="replace")) - ascii_bytes
    return max(ceil(ascii_bytes / 4 + other / 2.5), 1)


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of an answer."""

    text: str
    is_thought: bool = False


class ThoughtSplitter:
    """Splits an answer while it arrives.

    The joined texts of all pieces are the answer. A piece that ends in what may be the
    beginning of a tag is held back until the next call.
    """

    def __init__(self, prompt: str = "", passage: str = "") -> None:
        """`passage` is the text that was asked for.

        A text that is about such tags keeps them.
        """
        self.up_to = 0
        """All characters before this offset were a thought without an opening tag."""
        self._text: list[str] = []
        self._thoughts: list[str] = []
        self._places: TagPlaces = "anywhere"
        if _OPENING.match(passage.lstrip()):
            self._places = "nowhere"
        elif _ANY_TAG.search(prompt):
            self._places = "start"
        self._closing: re.Pattern[str] | None = None
        """The tag that ends the present thought."""
        self._closing_tag = ""
        self._held = ""
        self._at = 0
        """How much of it was returned."""
        self._line = ""
        """What was returned of the present line of text."""
        self._fence = ""
        """The marks of the open code fence."""
        self._offset = 0
        """How many characters of the answer were returned."""

    @property
    def text(self) -> str:
        """The text so far."""
        return "".join(self._text)

    @property
    def thoughts(self) -> str:
        """The thoughts so far, without their tags."""
        return "".join(self._thoughts).strip()

    @property
    def is_thinking(self) -> bool:
        """Whether the answer is in a thought now."""
        return self._closing is not None

    def feed(self, text: str) -> list[Piece]:
        """Return the next pieces."""
        self._held += text
        pieces: list[Piece] = []
        while self._at < len(self._held):
            piece = self._next_text() if self._closing is None else self._next_thought()
            if piece is None:
                break
            pieces.append(piece)
        self._held, self._at = self._held[self._at :], 0
        return pieces

    def finish(self) -> list[Piece]:
        """Return what was held back."""
        held, is_thought = self._held, self.is_thinking
        (self._thoughts if is_thought else self._text).append(held)
        self._held = ""
        return [Piece(held, is_thought)] if held else []

    def _next_thought(self) -> Piece | None:
        assert self._closing is not None  # noqa: S101 -- checked by `feed`
        if match := self._closing.search(self._held, self._at):
            self._thoughts += [self._held[self._at : match.start()], "\n\n"]
            self._closing = None
            return self._take(match.end(), is_thought=True)
        end = len(self._held) - _overlap(self._held, self._closing_tag)
        if end <= self._at:
            return None
        self._thoughts.append(self._held[self._at : end])
        return self._take(end, is_thought=True)

    def _next_text(self) -> Piece | None:
        """Return the next piece up to the end of the line or of a tag."""
        end = self._held.find("\n", self._at) + 1 or len(self._held)
        line = self._line + self._held[self._at : end]
        start = self._at - len(self._line)
        """Where the line begins, as an offset of what is held."""
        if self._may_open():
            words = line.lstrip()
            if match := _OPENING.match(words):
                self._closing_tag = _closing_of(match[0])
                self._closing = _pattern([self._closing_tag])
                blanks = len(line) - len(words)
                return self._take(start + blanks + match.end(), is_thought=True)
            if _is_beginning_of_tag(words):
                return None
        if match := self._lone_closing(line):
            return self._end_lone_thought(start + match.end(), match[0])
        piece = self._take(end)
        self._text.append(piece.text)
        self._end_line(line)
        return piece

    def _may_open(self) -> bool:
        if self._fence or self._line.strip() or self._places == "nowhere":
            return False
        return self._places == "anywhere" or not any(t.strip() for t in self._text)

    def _lone_closing(self, line: str) -> re.Match[str] | None:
        if self._fence or self._places != "anywhere" or self._thoughts:
            return None
        matches = (
            match
            for match in _LONE_CLOSING.finditer(line)
            if match.end() > len(self._line)
            and line.count("`", 0, match.start()) % 2 == 0
        )
        return next(matches, None)

    def _end_lone_thought(self, end: int, tag: str) -> Piece:
        before = self.text + self._held[self._at : end]
        self._thoughts = [before[: -len(tag)], "\n\n"]
        self._text = []
        piece = self._take(end, is_thought=True)
        self.up_to = self._offset
        return piece

    def _end_line(self, line: str) -> None:
        """Remember what the rest of the line, or the next one, depends on."""
        if not line.endswith("\n"):
            if len(line) > 2 * _REMEMBERED:
                ticks = line.count("`", 0, -_REMEMBERED) % 2
                line = f"…{'`' * ticks}{line[-_REMEMBERED:]}"
            self._line = line
            return
        self._line = ""
        match = CODE_FENCE.match(line)
        if match is None:
            return
        if not self._fence:
            self._fence = match["fence"]
        elif match["fence"].startswith(self._fence) and not match["info"].strip():
            self._fence = ""

    def _take(self, end: int, *, is_thought: bool = False) -> Piece:
        piece = Piece(self._held[self._at : end], is_thought)
        self._offset += end - self._at
        self._at = end
        if is_thought:
            self._line = ""
        return piece


def _closing_of(opening: str) -> str:
    return _CLOSINGS.get(opening) or _CLOSINGS[opening.lower()]


def _is_beginning_of_tag(text: str) -> bool:
    return bool(text) and any(
        tag.startswith(text if "[" in tag else text.lower()) for tag in _CLOSINGS
    )


def _overlap(text: str, tag: str) -> int:
    """Return how many characters at the end of `text` may begin `tag`."""
    sizes = range(min(len(tag) - 1, len(text)), 0, -1)
    tag = tag.lower()
    return next((n for n in sizes if tag.startswith(text[-n:].lower())), 0)


def split_thoughts(raw: str, prompt: str = "", passage: str = "") -> ThoughtSplitter:
    """Return a splitter that has read a whole answer."""
    splitter = ThoughtSplitter(prompt, passage)
    splitter.feed(raw)
    splitter.finish()
    return splitter
