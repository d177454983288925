"""The command ids: public API, chosen once.

They stand apart from their params and results (`protocol`) because `initialize` has
to name them and must not wait for pydantic. A test holds the two together.
"""

from __future__ import annotations

COMMAND_IDS = (
    "writeit.pipeline.list",
    "writeit.pipeline.show",
    "writeit.primer.list",
    "writeit.primer.show",
    "writeit.model.list",
    "writeit.model.install",
    "writeit.keys.set",
    "writeit.keys.list",
    "writeit.run.start",
    "writeit.run.show",
    "writeit.run.list",
    "writeit.run.tree",
    "writeit.run.branch",
    "writeit.run.rewind",
    "writeit.run.pause",
    "writeit.run.resume",
    "writeit.run.delete",
    "writeit.run.diff",
    "writeit.run.export",
    "writeit.step.preview",
    "writeit.step.run",
    "writeit.step.regenerate",
    "writeit.step.select",
    "writeit.step.take",
    "writeit.step.merge",
    "writeit.step.feedback",
    "writeit.step.skip",
    "writeit.step.apply",
    "writeit.edit.restore",
    "writeit.response.rate",
    "writeit.document.polish",
    "writeit.document.frontMatter",
    "writeit.view.open",
    "writeit.view.read",
    "writeit.session.show",
    "writeit.session.activate",
    "writeit.preferences.get",
    "writeit.preferences.set",
    "writeit.usage.show",
    "writeit.store.status",
    "writeit.store.verify",
    "writeit.store.compact",
    "writeit.store.backup",
    "writeit.store.prune",
)
