"""The command ids: public API, chosen once.

They stand apart from their params and results (`protocol`) because `initialize` has
to name them and must not wait for pydantic. A test holds the two together.
"""

from __future__ import annotations

COMMANDS = (
    "writeit.pipeline.list",
    "writeit.pipeline.show",
    "writeit.primer.list",
    "writeit.primer.show",
    "writeit.model.list",
    "writeit.model.install",
    "writeit.run.start",
    "writeit.run.show",
    "writeit.run.list",
    "writeit.run.pause",
    "writeit.run.resume",
    "writeit.run.export",
    "writeit.step.run",
    "writeit.step.select",
    "writeit.session.show",
)
