"""A rule added to the text of a primer's file; all else in it stays as it is."""

from __future__ import annotations

import json

from yaml.nodes import MappingNode, Node

from writeit.domain.errors import InvalidPipeline
from writeit.library.pipelines import read_primer
from writeit.library.yaml_source import YamlSource
from writeit.text.lines import first_line_end

RULES = "rules"
"""The category of the guidelines that has the user's own words."""
NEW_PRIMER = "my-style"
NEW_PRIMER_TEXT = f"""\
primer_id: {NEW_PRIMER}
name: My style
content: Write as the rules below say.
voice_attributes: {{tone: plain, structure: clear, language: simple words}}
guidelines:
  avoid: []
  prefer: []
"""


def with_rule(text: str, rule: str) -> str:
    """Return the text of a primer's file with a rule, unless it has it.

    Raises:
        InvalidPipeline: the file cannot be read, or no rule can be added to it.
    """
    before, problems = read_primer(text, "", default_id="x")
    if before is not None:
        guidelines = dict(before.guidelines)
        if rule in guidelines.get(RULES, ()):
            return text
        guidelines[RULES] = (*guidelines.get(RULES, ()), rule)
        start, new = _insertion(text, json.dumps(rule, ensure_ascii=False))
        result = text[:start] + new + text[start:]
        after, _ = read_primer(result, "", default_id="x")
        if after == before.evolve(guidelines=guidelines):
            return result
    raise InvalidPipeline(
        "The rule could not be added to the style's file.",
        hint="Correct its errors, or write the rule under `guidelines` yourself.",
        problems=[problem.to_json() for problem in problems],
    )


def _insertion(text: str, scalar: str) -> tuple[int, str]:
    """Return where a rule is inserted, and what."""
    guidelines = _value(YamlSource(text, "").root, "guidelines")
    rules, line_end = _value(guidelines, RULES), first_line_end(text)
    node = rules or guidelines
    if not isinstance(node, Node):
        return len(text), ""
    end = node.end_mark.index
    if getattr(node, "flow_style", False):
        new = scalar if rules else f"{RULES}: [{scalar}]"
        return end - 1, f", {new}" if node.value else new
    indent = " " * node.start_mark.column
    new = f"{indent}- {scalar}"
    if rules is None:
        new = f"{indent}{RULES}:{line_end}{indent}  - {scalar}"
    return len(text[:end].rstrip()), f"{line_end}{new}"


def _value(node: object, key: str) -> Node | None:
    if not isinstance(node, MappingNode):
        return None
    return next((value for name, value in node.value if name.value == key), None)
