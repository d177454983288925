"""The data model's rules of a style primer."""

from typing import Any

import pytest
from pydantic import ValidationError

from support.runs import START, later
from writeit.domain.primer import (
    REQUIRED_GUIDELINES,
    REQUIRED_VOICE_ATTRIBUTES,
    StylePrimer,
)

VOICE = {"tone": "dry", "structure": "short", "language": "plain"}
GUIDELINES = {"avoid": ("very",), "prefer": ("verbs",)}


def primer(**fields: Any) -> StylePrimer:
    """A primer."""
    return StylePrimer(
        **{
            "primer_id": "tech-journalist",
            "name": "Tech journalist",
            "content": "Write plainly.",
            "voice_attributes": VOICE,
            "guidelines": GUIDELINES,
            **fields,
        }
    )


@pytest.mark.rule("primer-1", "part-7")
@pytest.mark.parametrize("name", ["", "Tech", "tech journalist", "-a", "a" * 65])
def test_primer_id_must_follow_naming_conventions(name: str) -> None:
    """Lower-case letters, digits, hyphens and underscores; at most 64."""
    assert primer(primer_id="a_b-9").primer_id == "a_b-9"
    with pytest.raises(ValidationError):
        primer(primer_id=name)


@pytest.mark.rule("primer-2")
@pytest.mark.parametrize("content", ["", " ", "\n\t"])
def test_content_cannot_be_empty(content: str) -> None:
    """Nor blank."""
    with pytest.raises(ValidationError, match="cannot be empty"):
        primer(content=content)


def test_a_primer_has_a_human_readable_name() -> None:
    """And may say what it is for."""
    assert primer(description="For magazines").description == "For magazines"
    with pytest.raises(ValidationError):
        primer(name="")


@pytest.mark.rule("primer-3")
@pytest.mark.parametrize("missing", REQUIRED_VOICE_ATTRIBUTES)
def test_voice_attributes_must_include_required_keys(missing: str) -> None:
    """Tone, structure, language; others are welcome."""
    assert REQUIRED_VOICE_ATTRIBUTES == ("tone", "structure", "language")
    assert primer(voice_attributes={**VOICE, "humour": "dry"}).voice_attributes
    with pytest.raises(ValidationError, match=missing):
        primer(voice_attributes={k: v for k, v in VOICE.items() if k != missing})


@pytest.mark.rule("primer-4")
def test_example_openings_must_be_non_empty_if_provided() -> None:
    """None is fine, an empty one is not."""
    assert primer().example_openings == ()
    assert primer(example_openings=("Bees dance.",)).example_openings
    for openings in (("",), ("Bees dance.", " \n")):
        with pytest.raises(ValidationError, match="non-empty"):
            primer(example_openings=openings)


@pytest.mark.rule("primer-5")
@pytest.mark.parametrize("missing", REQUIRED_GUIDELINES)
def test_guidelines_must_include_avoid_and_prefer_categories(missing: str) -> None:
    """They may be empty, and there may be others."""
    assert REQUIRED_GUIDELINES == ("avoid", "prefer")
    more = {"avoid": (), "prefer": (), "quote": ("often",)}
    assert primer(guidelines=more).guidelines == more
    with pytest.raises(ValidationError, match=missing):
        primer(guidelines={k: v for k, v in GUIDELINES.items() if k != missing})


@pytest.mark.rule("primer-t2", "rel-15")
@pytest.mark.parametrize(
    "change",
    [
        {"content": "Write richly."},
        {"name": "Journalist"},
        {"description": "Other"},
        {"voice_attributes": {**VOICE, "tone": "warm"}},
        {"guidelines": {**GUIDELINES, "avoid": ()}},
        {"example_openings": ("Bees dance.",)},
    ],
)
def test_content_can_be_modified_but_maintains_version_history(
    change: dict[str, Any],
) -> None:
    """Other words are another version; the former stays what it was."""
    before = primer()
    after = before.evolve(**change)
    assert after.version != before.version
    assert before.version == primer().version
    assert after.primer_id == before.primer_id


@pytest.mark.rule("settled-13")
def test_using_a_primer_makes_no_other_version() -> None:
    """The days it was first seen and last used stand beside its words."""
    used = primer(created_at=START, last_used=later(60))
    assert used.version == primer().version
    assert used.last_used == later(60)


def test_a_primer_is_told_to_models_whole() -> None:
    """Content, voice and every guideline."""
    text = primer().prompt_text
    for words in ("Write plainly.", *VOICE.values(), "very", "verbs"):
        assert words in text
