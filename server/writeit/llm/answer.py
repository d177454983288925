"""The answer of one call while it arrives, in the words of all dialects."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from writeit.llm.price_map import ReportedUsage
from writeit.ports.models import FinishReason

_FINISHES: Final[dict[FinishReason | Literal["error"], str]] = {
    "stop": "stop|end_turn|stop_sequence|completed|complete|eos|eos_token|end"
    "|tool_calls|tool_use|load",
    # A turn that was paused goes on as an answer that was cut does.
    "length": "length|max_tokens|max_output_tokens|max_length|incomplete"
    "|repetition_truncation|pause_turn",
    "content_filter": "content_filter|safety|blocklist|prohibited_content|spii"
    "|recitation|language|image_safety|sensitive|error_toxic",
    "refused": "refusal|refused",
    "context": "model_context_window_exceeded|context_length_exceeded|model_length",
    "error": "error|failed|insufficient_system_resource|abort|time_limit|other",
}
_FINISH_BY_WORD: Final = {
    word: finish for finish, words in _FINISHES.items() for word in words.split("|")
}


@dataclass(slots=True)
class Answer:
    """What has arrived of an answer, and its end."""

    on_text: Callable[[str], None]
    on_thought: Callable[[str], None]
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
        return _FINISH_BY_WORD.get((self.ending or "").lower())

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

    def end(self, word: object) -> None:
        """Take note of why it ended."""
        if isinstance(word, str) and word:
            self.ending = word
