"""Write the two file formats into a folder as JSON Schema, made from the entities.

`python scripts/library_schema.py docs`; a test fails while one of them is stale.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from writeit.domain.entity import Entity
from writeit.domain.pipeline import PipelineConfiguration
from writeit.domain.primer import (
    REQUIRED_GUIDELINES,
    REQUIRED_VOICE_ATTRIBUTES,
    StylePrimer,
)
from writeit.library.validation import allowed_keys

_DIALECT = "https://json-schema.org/draft/2020-12/schema"

# What the entities' own docstrings leave to their names.
_DESCRIPTIONS = {
    "PipelineConfiguration": {
        "name": "Name of the pipeline, unique in its folder.",
        "description": "Purpose and scope, for the one who chooses a pipeline.",
        "created": "When it was written; the file's own date if left out.",
        "applies_to": "Whether it is offered on a document or on a selection.",
        "output": "What becomes of the last step's text.",
        "inputs": "What the writer gives before it starts; one must be required.",
        "steps": "The steps in order; each prompt may use those before it.",
    },
    "InputSpec": {
        "name": "Prompts know the input as `inputs.<name>`.",
        "type": "Kind of value; prompts get a text in any case.",
        "required": "Whether an empty value is refused.",
        "default": "The value when none is given and none is taken from anywhere.",
        "options": "The values of a choice.",
        "help": "A sentence for the one who fills it in.",
    },
    "StepSpec": {
        "name": "Later prompts know the step as `steps.<name>`.",
        "description": "A few words, shown beside the name.",
        "max_tokens": "The longest answer; else `defaults.max_tokens`.",
        "temperature": "How freely the model chooses words; else the default's.",
    },
    "StylePrimer": {
        "name": "Human-readable name.",
        "description": "Style description and use cases.",
        "voice_attributes": "Voice characteristics; tone, structure and language.",
        "example_openings": "Sample article openings.",
    },
}


def pipeline_schema() -> dict[str, Any]:
    """Return the JSON Schema of a pipeline file."""
    schema = _schema_of(PipelineConfiguration, optional={"created"})
    defaults = schema["properties"]["defaults"]
    defaults["properties"] = {
        "temperature": {"type": "number", "minimum": 0, "maximum": 2},
        "max_tokens": {"type": "integer", "minimum": 1},
        "style_primer": {"type": "string", "description": "Id of a style primer."},
    }
    return schema


def primer_schema() -> dict[str, Any]:
    """Return the JSON Schema of a primer file."""
    schema = _schema_of(StylePrimer, optional={"primer_id"})
    schema["properties"]["voice_attributes"]["required"] = list(
        REQUIRED_VOICE_ATTRIBUTES
    )
    schema["properties"]["guidelines"]["required"] = list(REQUIRED_GUIDELINES)
    schema["properties"]["content"]["minLength"] = 1
    return schema


def _schema_of(model: type[Entity], optional: set[str]) -> dict[str, Any]:
    """Return the schema of `model` as a file writes it: `x-` keys are free."""
    schema = {"$schema": _DIALECT, **model.model_json_schema()}
    kept = allowed_keys(model)
    schema["properties"] = {k: v for k, v in schema["properties"].items() if k in kept}
    schema["required"] = [key for key in schema["required"] if key not in optional]
    for part in [schema, *schema.get("$defs", {}).values()]:
        if "properties" in part:
            part["patternProperties"] = {"^x-": {"description": "The author's own."}}
            _describe(part)
    return schema


def _describe(part: dict[str, Any]) -> None:
    for key, said in _DESCRIPTIONS.get(part["title"], {}).items():
        part["properties"][key].setdefault("description", said)


def write_schemas(folder: Path) -> None:
    """Write both schemas into `folder`."""
    for name, schema in (("pipeline", pipeline_schema()), ("primer", primer_schema())):
        text = json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
        (folder / f"{name}.schema.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_schemas(Path(sys.argv[1]))
