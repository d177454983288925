"""A command of the protocol: its models, its handler, and one request for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar, get_args, get_type_hints

from lsprotocol import types
from pydantic import BaseModel

from writeit.lsp.folder import WorkspaceFolder
from writeit.lsp.protocol import Accepted, Params
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

    async def resolve_models(self, models: list[str] | None) -> tuple[str, ...] | None:
        """Return the full ids of the models that the client names.

        Raises:
            NotFound: nobody provides one of them.
        """
        if models is None:
            return None
        resolve = self.session.ports.models.resolve_model_id
        return tuple([await resolve(model) for model in models])


Handler: TypeAlias = Callable[[Any], Awaitable[WireModel]]
H = TypeVar("H", bound=Handler)


@dataclass(frozen=True, slots=True)
class Command:
    """A command's models and handler."""

    params_model: type[Params]
    result_model: type[BaseModel]
    """The result with `wait: true`; otherwise it is `Accepted`."""
    handler: Handler


HANDLERS: dict[str, Command] = {}
"""The commands by id; each module of `commands` adds its own."""


def command(command_id: str, result: type[BaseModel] | None = None) -> Callable[[H], H]:
    """Register the decorated handler; its annotations name the two models.

    `result` is the model of several results.
    """

    def register(handler: H) -> H:
        hints = get_type_hints(handler)
        (params_model,) = get_args(hints["request"])
        results = get_args(hints["return"]) or (hints["return"],)
        result_model = result or next(m for m in results if m is not Accepted)
        HANDLERS[command_id] = Command(params_model, result_model, handler)
        return handler

    return register
