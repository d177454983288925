"""A command of the protocol: its models, its handler, and one request for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from lsprotocol import types

from writeit.lsp.folder import WorkspaceFolder
from writeit.lsp.protocol import Params
from writeit.lsp.session import Session
from writeit.lsp.shapes import WireModel

P = TypeVar("P", bound=Params)


@dataclass(frozen=True, slots=True)
class Request(Generic[P]):
    """One command as its handler gets it."""

    session: Session
    params: P
    work_done_token: types.ProgressToken | None = None

    def folder(self) -> WorkspaceFolder:
        """Return the folder that `folder`, `runId` or `uri` of the params is in.

        Raises:
            InvalidParams: several folders are open and none of the three decides.
            NotFound: the folder named is not open.
        """
        run_id = getattr(self.params, "run_id", None)
        uri = None if run_id else getattr(self.params, "uri", None)
        return self.session.resolve_folder(self.params.folder, uri=uri, run_id=run_id)


@dataclass(frozen=True, slots=True)
class Command(Generic[P]):
    """A command's models and handler."""

    params_model: type[P]
    result_model: type[WireModel]
    """The result with `wait: true`; otherwise it is `Accepted`."""
    handler: Callable[[Request[P]], Awaitable[WireModel]]


Handlers: TypeAlias = dict[str, Command[Any]]
