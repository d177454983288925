"""A family of runs as a tree of lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from writeit.views import words
from writeit.views.markdown import one_line, shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from uuid import UUID

    from writeit.core.run import PipelineStatus

_LONGEST_NAME = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeNode:
    """A run among its family."""

    run_id: UUID
    name: str
    """The writer's name for it, else its title; for a branch it may be empty."""
    status: PipelineStatus
    current_step: str
    branch_point: str | None = None
    """Where it branched off its parent; None of the root."""
    cost_usd: float | None = None
    deleted: bool = False
    """Whether only a tombstone is left."""
    children: tuple[TreeNode, ...] = ()
    more: bool = False
    """Whether it has branches that are not shown."""


def tree_lines(
    root: TreeNode,
    current: UUID | None = None,
    paint: Callable[[TreeNode, str], str] = lambda _, label: label,
) -> list[str]:
    """Return a line for each run of a family; `current` is marked as this run.

    `paint` may dress what is said of a run, for a terminal.
    """
    return [line for line, _ in tree_rows(root, current, paint)]


def tree_rows(
    root: TreeNode,
    current: UUID | None = None,
    paint: Callable[[TreeNode, str], str] = lambda _, label: label,
) -> list[tuple[str, TreeNode | None]]:
    """Return the lines of a family, each with its run; None says there are more."""
    rows: list[tuple[str, TreeNode | None]] = []
    waiting = [(root, "", "")]
    while waiting:
        node, first, rest = waiting.pop()
        rows.append((f"{first}{paint(node, _label(node, current))}", node))
        if node.more:
            rows.append((f"{rest}└─ … more branches", None))
        children = list(_branches(node, rest))
        waiting += reversed(children)
    return rows


def runs_in(root: TreeNode) -> int:
    """Return how many runs a family has."""
    waiting, found = [root], 0
    while waiting:
        node = waiting.pop()
        found += 1
        waiting += node.children
    return found


def _branches(node: TreeNode, indent: str) -> Iterator[tuple[TreeNode, str, str]]:
    """Yield the children, each with what stands before its line and those below."""
    for place, child in enumerate(node.children, start=1):
        last = place == len(node.children) and not node.more
        yield (
            child,
            f"{indent}{'└─ ' if last else '├─ '}",
            f"{indent}{'   ' if last else '│  '}",
        )


def _label(node: TreeNode, current: UUID | None) -> str:
    name = shortened(one_line(node.name), _LONGEST_NAME)
    if node.branch_point is not None:
        name = f"from {node.branch_point}" + (f": {name}" if name else "")
    facts = [name or "run"]
    if node.deleted:
        facts.append("deleted")
    else:
        facts.append(words.run_status(node.status, node.current_step))
        if node.cost_usd is not None:
            facts.append(words.money(node.cost_usd))
    mark = "  ← this run" if node.run_id == current else ""
    return f"{' · '.join(facts)}{mark}"
