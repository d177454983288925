"""A style primer: guidelines for how a text should sound."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, field_validator

from writeit.domain.entity import (
    Entity,
    GrowingEntity,
    Name,
    StringList,
    UtcDatetime,
    content_hash,
)
from writeit.text.lines import fold_space
from writeit.text.style_rules import StyleRule, guideline_rules, is_searchable

NO_PRIMER = "none"
"""The reserved id that means no primer."""
REQUIRED_VOICE_ATTRIBUTES = ("tone", "structure", "language")
REQUIRED_GUIDELINES = ("avoid", "prefer")


class LintRule(Entity, use_attribute_docstrings=True):
    """Words that an editor marks in a document with this style."""

    avoid: StringList = Field(min_length=1)
    """Words or phrases, also where they are inflected; `*` is one to five words."""
    prefer: StringList = ()
    """What to write instead."""
    note: str = ""
    """Why, for the user."""

    @field_validator("avoid")
    @classmethod
    def _check_avoid(cls, avoid: tuple[str, ...]) -> tuple[str, ...]:
        """Each has to be searchable in a short time."""
        if any(not is_searchable(words) for words in avoid):
            raise ValueError("should begin and end with a word, with at most two `*`")
        return avoid


class StylePrimer(GrowingEntity, use_attribute_docstrings=True):
    """Reusable writing style guidelines and voice definitions."""

    ADDED: ClassVar[frozenset[str]] = frozenset({"lint"})

    FORM_1: ClassVar[frozenset[str]] = frozenset(
        {"primer_id", "name", "description", "content", "voice_attributes"}
        | {"example_openings", "guidelines"}
    )
    UNHASHED: ClassVar[frozenset[str]] = frozenset({"created_at", "last_used"})

    primer_id: Name
    """Unique identifier ("tech-journalist", "academic")."""
    name: str = Field(min_length=1)
    description: str = ""
    content: str
    """Full style guide content."""
    voice_attributes: dict[str, str]
    example_openings: tuple[str, ...] = ()
    guidelines: dict[str, tuple[str, ...]]
    """Dos and don'ts by category."""
    lint: tuple[LintRule, ...] = ()
    """Words that an editor marks, besides those that the guidelines name."""
    created_at: UtcDatetime | None = None
    """When this version was first seen; only in the store, not in the file."""
    last_used: UtcDatetime | None = None
    """When a run last used it; only in the store, not in the file."""

    @field_validator("content")
    @classmethod
    def _check_content(cls, content: str) -> str:
        """Content cannot be empty."""
        if not content.strip():
            raise ValueError("content cannot be empty")
        return content

    @field_validator("voice_attributes")
    @classmethod
    def _check_voice_attributes(cls, voice: dict[str, str]) -> dict[str, str]:
        """Voice attributes must include required keys (tone, structure, language)."""
        if missing := [key for key in REQUIRED_VOICE_ATTRIBUTES if key not in voice]:
            raise ValueError(f"voice_attributes must include {', '.join(missing)}")
        return voice

    @field_validator("example_openings")
    @classmethod
    def _check_example_openings(cls, openings: tuple[str, ...]) -> tuple[str, ...]:
        """Example openings must be non-empty if provided."""
        if any(not opening.strip() for opening in openings):
            raise ValueError("example openings must be non-empty if provided")
        return openings

    @field_validator("guidelines")
    @classmethod
    def _check_guidelines(
        cls, guidelines: dict[str, tuple[str, ...]]
    ) -> dict[str, tuple[str, ...]]:
        """Guidelines must include 'avoid' and 'prefer' categories."""
        if missing := [key for key in REQUIRED_GUIDELINES if key not in guidelines]:
            raise ValueError(f"guidelines must include {', '.join(missing)}")
        return guidelines

    @property
    def version(self) -> str:
        """The version for a new run: a hash of the content.

        A stored primer keeps the version that it was stored with.
        """
        return content_hash(self)

    @property
    def prompt_text(self) -> str:
        """The text of `{{ primer }}` in a template."""
        voice = "; ".join(
            f"{key}: {value}" for key, value in self.voice_attributes.items()
        )
        lines = [self.content.strip(), f"Voice: {voice}."]
        lines += [
            f"{category.capitalize()}: {'; '.join(rules)}."
            for category, rules in self.guidelines.items()
            if rules
        ]
        if self.lint:
            words = (f'"{words}"' for rule in self.lint for words in rule.avoid)
            lines.append(f"Never write: {', '.join(words)}.")
        return "\n".join(lines)

    @property
    def style_rules(self) -> list[StyleRule]:
        """What an editor marks: the rules of `lint`, then those of the guidelines."""
        rules = [
            StyleRule(words, rule.prefer, rule.note)
            for rule in self.lint
            for words in rule.avoid
        ]
        avoid, prefer = (self.guidelines[key] for key in REQUIRED_GUIDELINES)
        return [*rules, *guideline_rules(avoid, prefer)]


class RunPrimer(Entity):
    """The primer version that a run was started with."""

    primer_id: Name
    version: str
    text: str

    def is_in(self, prompt: str) -> bool:
        """Whether a prompt carries the primer."""
        return self.text in prompt or fold_space(self.text) in fold_space(prompt)
