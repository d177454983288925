"""The page on the file formats: its examples work, and it names all there is."""

# ruff: noqa: D103 -- the name of a test is its promise

import re
from datetime import UTC, datetime
from pathlib import Path

from writeit.domain.pipeline import InputSpec, PipelineConfiguration, StepSpec
from writeit.library.front_matter import split_front_matter
from writeit.library.pipelines import read_pipeline, read_primer
from writeit.library.validation import allowed_keys
from writeit.prompts.filters import FILTERS

PAGE = (Path(__file__).parents[2] / "docs" / "pipelines.md").read_text("utf-8")
PIPELINE, PRIMER, FRONT_MATTER = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def test_the_example_pipeline_is_valid() -> None:
    created = datetime(2026, 1, 1, tzinfo=UTC)
    configuration, problems = read_pipeline(PIPELINE, "", created=created)
    assert configuration is not None
    assert problems == ()


def test_the_example_primer_is_valid() -> None:
    primer, problems = read_primer(PRIMER, "", default_id="plain")
    assert primer is not None
    assert problems == ()


def test_the_example_front_matter_is_valid() -> None:
    found = split_front_matter(FRONT_MATTER)
    assert found.is_valid
    assert found.config.pipeline == "tech-article"


def test_every_key_is_named() -> None:
    for model in (PipelineConfiguration, InputSpec, StepSpec):
        for key in allowed_keys(model):
            assert f"`{key}`" in PAGE


def test_every_filter_is_named() -> None:
    for name in FILTERS:
        assert not name.isidentifier() or f"`{name}`" in PAGE
