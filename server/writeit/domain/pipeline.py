"""A pipeline configuration: the template that runs are started from.

A configuration never changes. Its id contains a hash of its content, so an edited file
is a new configuration and old runs keep theirs.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, JsonValue, model_validator

from writeit.domain.entity import Entity, GrowingEntity, Name, UtcDatetime, content_hash
from writeit.domain.model_id import THINKING_ROOM

InputType = Literal["text", "choice", "number", "boolean"]
InputSource = Literal["document", "selection", "title", "path", "text", "notes"]
"""`text`: the document without the notes that it names; `notes`: those, or else the
document that a run made its text from."""
AppliesTo = Literal["document", "selection"]
Output = Literal["new_file", "replace", "insert"]
"""Where a text goes."""
RunOutput = Literal[Output, "review"]
"""Where the text of a run goes, or that it makes remarks instead."""


def _check_reasoning(value: object) -> object:
    is_level = isinstance(value, str) and value in THINKING_ROOM
    if is_level or (type(value) is int and value > 0):
        return value
    levels = ", ".join(THINKING_ROOM)
    raise ValueError(f"should be {levels}, or a number of tokens above 0")


Reasoning = Annotated[
    Literal["none", "low", "medium", "high"] | Annotated[int, Field(gt=0)],
    BeforeValidator(_check_reasoning),
]
"""How long a model may think before its answer: a level, or a number of tokens."""
EVERY_STEP = "*"
"""The key of a value that is for all steps that are not named."""


class InputSpec(Entity, use_attribute_docstrings=True):
    """One value that the user gives a pipeline before it starts."""

    FORM_1: ClassVar[frozenset[str]] = frozenset(
        {"name", "type", "label", "required", "default", "options", "help"}
        | {"max_length", "source"}
    )

    name: Name
    type: InputType = "text"
    label: str = ""
    """Shown in forms instead of the name."""
    required: bool = False
    default: str | int | float | bool | None = None
    options: tuple[str, ...] = ()
    """The values of a `choice`."""
    help: str = ""
    max_length: int | None = Field(default=None, gt=0)
    """The most characters a `text` may have."""
    source: InputSource | None = Field(default=None, alias="from")
    """Where the value comes from if the user gives none."""

    @model_validator(mode="after")
    def _check_choice_options(self) -> InputSpec:
        if self.type == "choice" and not self.options:
            raise ValueError(f"input {self.name!r} is a choice and needs options")
        if self.options and self.type != "choice":
            raise ValueError(f"input {self.name!r} has options but is not a choice")
        return self

    @model_validator(mode="after")
    def _check_default(self) -> InputSpec:
        if (text := self.default_text) and (wrong := self.value_problem(text)):
            raise ValueError(f"the default of input {self.name!r} {wrong}")
        return self

    @property
    def default_text(self) -> str:
        """The default as text, "" if there is none."""
        if self.default is None:
            return ""
        if isinstance(self.default, bool):
            return "true" if self.default else "false"
        return str(self.default)

    def value_problem(  # noqa: PLR0911 -- one return a rule
        self, value: str
    ) -> str | None:
        """Return what is wrong with `value`, as a verb phrase, or None."""
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


class StepSpec(GrowingEntity, use_attribute_docstrings=True):
    """One step: a prompt and the models that answer it."""

    ADDED: ClassVar[frozenset[str]] = frozenset({"primer", "reasoning", "choose"})

    FORM_1: ClassVar[frozenset[str]] = frozenset(
        {"name", "description", "prompt", "models", "samples", "max_tokens"}
        | {"temperature"}
    )

    name: Name
    description: str = ""
    prompt: str = Field(min_length=1)
    """A Jinja2 template; see `writeit.prompts` for its variables."""
    models: tuple[str, ...] = ()
    """Model ids; if empty, the user's preference for this step."""
    samples: int = Field(default=1, ge=1, le=10)
    """Answers generated by each model."""
    max_tokens: int | None = Field(default=None, gt=0)
    temperature: float | None = Field(default=None, ge=0, le=2)
    primer: bool = True
    """False keeps the chosen style primer out of this step's prompts."""
    choose: Literal["answer", "item"] = "answer"
    """What is offered first: a whole answer, or an item of its list."""
    reasoning: Reasoning | None = None
    """How long a model may think: none, low, medium, high or a number of tokens, on top
    of `max_tokens`; unset, its provider decides."""


class PipelineConfiguration(Entity, use_attribute_docstrings=True):
    """Defines the template for article generation workflows."""

    FORM_1: ClassVar[frozenset[str]] = frozenset(
        {"name", "description", "applies_to", "output", "defaults", "inputs", "steps"}
    )
    UNHASHED: ClassVar[frozenset[str]] = frozenset({"created"})

    name: Name
    description: str = ""
    created: UtcDatetime
    applies_to: AppliesTo = "document"
    output: RunOutput = "new_file"
    """`review`: the answers of its one step are remarks on the text."""
    defaults: dict[str, JsonValue] = Field(default_factory=dict)
    """Default parameters: temperature, max_tokens, style_primer, and for templates."""
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
                    raise ValueError(f"the {what} {name!r} is defined twice")
        return self

    @model_validator(mode="after")
    def _check_required_input(self) -> PipelineConfiguration:
        """At least one input must be marked as required."""
        if not any(spec.required for spec in self.inputs):
            raise ValueError("at least one input must be marked as required")
        return self

    @model_validator(mode="after")
    def _check_review_step(self) -> PipelineConfiguration:
        if self.output == "review" and len(self.steps) > 1:
            raise ValueError("a pipeline with `output: review` has one step")
        return self

    @property
    def step_names(self) -> list[str]:
        """The names of the steps, in order."""
        return [step.name for step in self.steps]

    @property
    def configuration_id(self) -> str:
        """The id for a new run: the name and a hash of the content.

        A stored configuration keeps the id that it was stored with.
        """
        return f"{self.name}@{content_hash(self)}"

    def step(self, name: str) -> StepSpec:
        """Return the step `name`; KeyError if there is none."""
        for spec in self.steps:
            if spec.name == name:
                return spec
        raise KeyError(name)

    def default(self, key: str, expected_type: type) -> Any:  # noqa: ANN401 -- the caller names the type
        """Return the default `key` if it has `expected_type`, else None."""
        value = self.defaults.get(key)
        if expected_type is float and type(value) is int:
            return float(value)
        return value if type(value) is expected_type else None
