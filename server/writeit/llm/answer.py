"""The answer of one call while it arrives, in the words of all dialects."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from writeit.llm.price_map import ReportedUsage
from writeit.ports.models import FinishReason

_FINISHES: Final[dict[FinishReason | Literal["error"], str]] = {
    "stop": r"^(?:finish_reason_)?(?:stop|end|eos|complete|tool|load$)",
    "refused": "refus",
    "context": "context|^model_length",
    "content_filter": "filter|safety|block|prohibited|spii|recitation|language"
    "|sensitive|toxic|guardrail|moderat",
    "error": "error|fail|abort|cancel|interrupt|insufficient|time|other|preempt|unload"
    "|unexpected|malformed|user",
    # A turn that was paused goes on as an answer that was cut does.
    "length": "length|token|limit|incomplete|truncat|pause",
}
"""What the words of providers for an end contain; the first that matches counts."""
THOUGHT_NAME: Final = re.compile("reasoning|think|thought")
"""What the names of all fields and parts with thoughts contain."""


def _told(value: object) -> str:
    """Return the text of a thought: a string, an object with one, or a list."""
    if isinstance(value, list):
        return "".join(map(_told, value))
    if isinstance(value, Mapping):
        names = ("text", "content", "summary", "thinking", "reasoning", "thought")
        return next(filter(None, (_told(value.get(name)) for name in names)), "")
    return value if isinstance(value, str) else ""


@dataclass(slots=True)
class Answer:
    """What has arrived of an answer, and its end."""

    on_text: Callable[[str], None]
    on_thought: Callable[[str], None]
    on_end: Callable[[], None] = lambda: None
    has_text: bool = False
    """Whether there is more than white space."""
    has_thought: bool = False
    ending: str | None = None
    """The provider's own word for why it ended."""
    is_blocked: bool = False
    """Whether the prompt was blocked."""
    refusal: str = ""
    """What the provider wrote in place of an answer."""
    usage: ReportedUsage | None = None

    @property
    def finish(self) -> FinishReason | Literal["error"] | None:
        """Why it ended; None if the provider did not say, or in an unknown word."""
        word = (self.ending or "").lower()
        return next((f for f, p in _FINISHES.items() if re.search(p, word)), None)

    @property
    def is_interrupted(self) -> bool:
        """Whether it stopped with neither a reason nor usage."""
        return self.ending is None and self.usage is None

    def add_text(self, text: object) -> None:
        """Add a piece of content; anything else is ignored."""
        if isinstance(text, str) and text:
            self.on_text(text)
            self.has_text = self.has_text or bool(text.strip())

    def add_thought(self, text: object) -> None:
        """Add a piece of a reasoning field; it may be empty."""
        if isinstance(text, str):
            self.has_thought = True
            self.on_thought(text)

    def add_thoughts(self, fields: Mapping[str, object]) -> None:
        """Add what a message tells of thoughts, in the first field that has a text."""
        for name, value in fields.items():
            if value and THOUGHT_NAME.search(name):
                self.add_thought(told := _told(value))
                if told:
                    return

    def end(self, word: object) -> None:
        """Take note of why it ended."""
        if isinstance(word, str) and word:
            self.ending = word
            self.on_end()
