"""A pipeline configuration: the template that runs are made from.

A configuration never changes. Its id is its name and a hash of its content, so an
edited file is a new configuration and old runs keep theirs.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field, JsonValue, model_validator

from writeit.domain.entity import Entity, Name, UtcDatetime, content_hash

InputType = Literal["text", "choice", "number", "boolean"]
InputSource = Literal["document", "selection", "title", "path"]
AppliesTo = Literal["document", "selection"]
Output = Literal["new_file", "replace", "insert"]


class InputSpec(Entity):
    """One thing the writer gives a pipeline before it starts."""

    FORM_1: ClassVar[frozenset[str]] = frozenset(
        {"name", "type", "label", "required", "default", "options", "help"}
        | {"max_length", "source"}
    )

    name: Name
    type: InputType = "text"
    label: str = ""
    """What a form shows instead of the name."""
    required: bool = False
    default: str | int | float | bool | None = None
    options: tuple[str, ...] = ()
    """What a `choice` may be."""
    help: str = ""
    max_length: int | None = Field(default=None, gt=0)
    """The most characters a `text` may have."""
    source: InputSource | None = Field(default=None, alias="from")
    """Where the value comes from when nobody gives one."""

    @model_validator(mode="after")
    def _check_choice_options(self) -> InputSpec:
        if self.type == "choice" and not self.options:
            msg = f"input {self.name!r} is a choice and needs options"
            raise ValueError(msg)
        if self.options and self.type != "choice":
            msg = f"input {self.name!r} has options but is not a choice"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _check_default(self) -> InputSpec:
        if (text := self.default_text) and (wrong := self.value_problem(text)):
            msg = f"the default of input {self.name!r} {wrong}"
            raise ValueError(msg)
        return self

    @property
    def default_text(self) -> str:
        """The default as the writer would have given it, "" if there is none."""
        if self.default is None:
            return ""
        if isinstance(self.default, bool):
            return "true" if self.default else "false"
        return str(self.default)

    def value_problem(  # noqa: PLR0911 -- one return a rule
        self, value: str
    ) -> str | None:
        """Say what is wrong with `value` for this input, or None."""
        if self.required and not value.strip():
            return "is required and empty"
        if self.max_length is not None and len(value) > self.max_length:
            return (
                f"has {len(value)} characters, more than the {self.max_length} allowed"
            )
        if not value:
            return None
        if self.type == "choice" and value not in self.options:
            return f"must be one of {', '.join(self.options)}"
        if self.type == "number" and not _is_number(value):
            return "must be a number"
        if self.type == "boolean" and value not in {"true", "false"}:
            return "must be true or false"
        return None


def _is_number(value: str) -> bool:
    try:
        number = float(value)
    except ValueError:
        return False
    return number == number and abs(number) != float("inf")  # noqa: PLR0124 -- NaN


class StepSpec(Entity):
    """One step: a prompt, and who is asked."""

    FORM_1: ClassVar[frozenset[str]] = frozenset(
        {"name", "description", "prompt", "models", "samples", "max_tokens"}
        | {"temperature"}
    )

    name: Name
    description: str = ""
    prompt: str = Field(min_length=1)
    """A Jinja2 template; see `writeit.prompts` for its variables."""
    models: tuple[str, ...] = ()
    """Model ids; empty means the writer's preference for this step."""
    samples: int = Field(default=1, ge=1, le=10)
    """Answers asked of each model."""
    max_tokens: int | None = Field(default=None, gt=0)
    temperature: float | None = Field(default=None, ge=0, le=2)


class PipelineConfiguration(Entity):
    """Defines the template for article generation workflows."""

    FORM_1: ClassVar[frozenset[str]] = frozenset(
        {"name", "description", "applies_to", "output", "defaults", "inputs", "steps"}
    )
    UNHASHED: ClassVar[frozenset[str]] = frozenset({"created"})

    name: Name
    description: str = ""
    created: UtcDatetime
    applies_to: AppliesTo = "document"
    output: Output = "new_file"
    defaults: dict[str, JsonValue] = Field(default_factory=dict)
    """Default parameters: temperature, max_tokens, style_primer and the template's."""
    inputs: tuple[InputSpec, ...] = Field(min_length=1)
    steps: tuple[StepSpec, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _check_unique_names(self) -> PipelineConfiguration:
        """Steps must form valid sequential workflow."""
        for what, names in (
            ("input", [spec.name for spec in self.inputs]),
            ("step", self.step_names),
        ):
            for name in names:
                if names.count(name) > 1:
                    msg = f"the {what} {name!r} is there twice"
                    raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _check_required_input(self) -> PipelineConfiguration:
        """At least one input must be marked as required."""
        if not any(spec.required for spec in self.inputs):
            msg = "at least one input must be marked as required"
            raise ValueError(msg)
        return self

    @property
    def step_names(self) -> list[str]:
        """The names of the steps, in order."""
        return [step.name for step in self.steps]

    @property
    def configuration_id(self) -> str:
        """The id that a new run gets: the name and a hash of the content.

        Where a configuration is read back, the id it was stored with counts.
        """
        return f"{self.name}@{content_hash(self)}"

    def step(self, name: str) -> StepSpec:
        """Return the step called `name`; KeyError if there is none."""
        for spec in self.steps:
            if spec.name == name:
                return spec
        raise KeyError(name)

    def default(self, key: str, expected_type: type) -> Any:  # noqa: ANN401 -- the caller names the type
        """Return the default `key` if it is a `kind`, else None."""
        value = self.defaults.get(key)
        if expected_type is float and type(value) is int:
            return float(value)
        return value if type(value) is expected_type else None
