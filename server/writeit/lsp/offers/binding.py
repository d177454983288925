"""What fits a document that says nothing to WriteIt: a block of front matter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from writeit.lsp.offers.offer import Offer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from writeit.core.pipeline import PipelineConfiguration

LIKELIEST = "tech-article"
"""The pipeline of a document that nothing is known of."""

MOST = 3
"""Pipelines whose block is offered; the names of the others are completed."""


def to_bind(pipelines: Iterable[PipelineConfiguration], uri: str) -> list[Offer]:
    """Offer front matter for the likeliest pipelines."""
    names = [p.name for p in pipelines if p.applies_to == "document"]
    names.sort(key=lambda name: name != LIKELIEST)
    return [
        Offer(
            title=f"Insert front matter for {name}",
            command="writeit.document.frontMatter",
            params={"uri": uri, "pipeline": name},
        )
        for name in names[:MOST]
    ]
