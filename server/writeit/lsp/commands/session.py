"""`writeit.session.*`, `writeit.preferences.*`: who is connected, what she prefers."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from pydantic.alias_generators import to_camel

from writeit.core.errors import InvalidParams, NotFound
from writeit.core.run import split_model_id
from writeit.core.session import FieldProblem, problems_with_preferences
from writeit.core.system_bindings import SYSTEM_BINDINGS
from writeit.lsp import protocol as p
from writeit.lsp.convert import to_invalid_params
from writeit.lsp.dispatch import Command, Request, folder_of_run

if TYPE_CHECKING:
    from writeit.core.session import UserPreferences, UserSession


async def show(request: Request[p.Params]) -> p.UserSession:
    """Return this connection's session in a folder."""
    return _as_session(request.connection.folder(request.params).engine.session)


async def activate(request: Request[p.RunParams]) -> p.UserSession:
    """Make a run the session's active one; a run about a passage is refused."""
    engine = folder_of_run(request).engine
    return _as_session(await engine.activate(request.params.run_id))


def _as_session(session: UserSession) -> p.UserSession:
    return p.UserSession.model_validate(
        {
            **session.model_dump(exclude={"process"}),
            "workspace_path": str(session.workspace_path),
        }
    )


async def get_preferences(request: Request[p.Params]) -> p.UserPreferences:
    """Return what the writer prefers."""
    session = request.connection.folder(request.params).engine.session
    return p.UserPreferences.model_validate(session.preferences)


async def set_preferences(
    request: Request[p.PreferencesSetParams],
) -> p.UserPreferences:
    """Change what is given; the rest stays. They hold for sessions to come, too."""
    params = request.params
    folder = request.connection.folder(params)
    given = params.model_dump(
        include=params.model_fields_set - set(p.Params.model_fields)
    )
    try:
        preferences = folder.engine.session.preferences.evolve(**given)
    except ValidationError as error:
        raise to_invalid_params(error, p.PreferencesSetParams) from None
    problems = problems_with_preferences(
        preferences,
        known_primers=folder.library().primers,
        known_providers=await _providers_of(request, preferences),
        system_bindings=SYSTEM_BINDINGS,
    )
    if problems:
        raise _refused(problems)
    await folder.engine.prefer(preferences)
    return p.UserPreferences.model_validate(preferences)


async def _providers_of(
    request: Request[Any], preferences: UserPreferences
) -> set[str]:
    """The providers of the default models that somebody knows."""
    known = set()
    for model in preferences.default_models.values():
        with suppress(NotFound):
            identified = await request.connection.world.models.identify(model)
            known.add(split_model_id(identified)[0])
    return known


def _refused(problems: list[FieldProblem]) -> InvalidParams:
    listed = [
        {"path": ".".join((to_camel(x.loc[0]), *x.loc[1:])), "message": x.message}
        for x in problems
    ]
    said = "; ".join(f"{each['path']}: {each['message']}" for each in listed)
    return InvalidParams(
        f"These preferences cannot be kept: {said}.",
        hint="Nothing was changed; put right what is named and set them again.",
        problems=listed,
    )


HANDLERS: dict[str, Command[Any]] = {
    "writeit.session.show": Command(p.Params, p.UserSession, show),
    "writeit.session.activate": Command(p.RunParams, p.UserSession, activate),
    "writeit.preferences.get": Command(p.Params, p.UserPreferences, get_preferences),
    "writeit.preferences.set": Command(
        p.PreferencesSetParams, p.UserPreferences, set_preferences
    ),
}
