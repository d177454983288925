"""`writeit.session.*`, `writeit.preferences.*`: sessions and preferences."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from pydantic import ValidationError
from pydantic.alias_generators import to_camel

from writeit.domain.errors import InvalidParams, NotFound
from writeit.domain.key_bindings import SYSTEM_BINDINGS
from writeit.domain.run import split_model_id
from writeit.domain.session import (
    FieldProblem,
    UserPreferences,
    UserSession,
    validate_preferences,
)
from writeit.lsp import protocol as p
from writeit.lsp import shapes
from writeit.lsp.command import Command, Handlers, Request
from writeit.lsp.convert import to_invalid_params


async def show_session(request: Request[p.Params]) -> shapes.WireUserSession:
    """Return this session's session in a folder."""
    return _session_to_wire(request.folder().engine.session)


async def activate_run(request: Request[p.RunParams]) -> shapes.WireUserSession:
    """Make a run the session's active one; a run about a passage is refused."""
    engine = request.folder().engine
    return _session_to_wire(await engine.activate_run(request.params.run_id))


def _session_to_wire(user_session: UserSession) -> shapes.WireUserSession:
    return shapes.WireUserSession.model_validate(
        {
            **user_session.model_dump(exclude={"process"}),
            "workspace_path": str(user_session.workspace_path),
        }
    )


async def get_preferences(request: Request[p.Params]) -> shapes.WireUserPreferences:
    """Return what the writer prefers."""
    session = request.folder().engine.session
    return shapes.WireUserPreferences.model_validate(session.preferences)


async def set_preferences(
    request: Request[p.PreferencesSetParams],
) -> shapes.WireUserPreferences:
    """Change what is given; the rest stays. They hold for sessions to come, too."""
    params = request.params
    folder = request.folder()
    given = params.model_dump(
        include=params.model_fields_set - set(p.Params.model_fields)
    )
    try:
        preferences = folder.engine.session.preferences.evolve(**given)
    except ValidationError as error:
        raise to_invalid_params(error, p.PreferencesSetParams) from None
    problems = validate_preferences(
        preferences,
        known_primers=folder.load_library().primers,
        known_providers=await _find_known_providers(request, preferences),
        system_bindings=SYSTEM_BINDINGS,
    )
    if problems:
        raise _invalid_preferences(problems)
    await folder.engine.save_preferences(preferences)
    return shapes.WireUserPreferences.model_validate(preferences)


async def _find_known_providers(
    request: Request[Any], preferences: UserPreferences
) -> set[str]:
    """The providers of the default models that somebody knows."""
    known = set()
    for model in preferences.default_models.values():
        with suppress(NotFound):
            identified = await request.session.ports.models.resolve_model_id(model)
            known.add(split_model_id(identified)[0])
    return known


def _invalid_preferences(problems: list[FieldProblem]) -> InvalidParams:
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


HANDLERS: Handlers = {
    "writeit.session.show": Command(p.Params, shapes.WireUserSession, show_session),
    "writeit.session.activate": Command(
        p.RunParams, shapes.WireUserSession, activate_run
    ),
    "writeit.preferences.get": Command(
        p.Params, shapes.WireUserPreferences, get_preferences
    ),
    "writeit.preferences.set": Command(
        p.PreferencesSetParams, shapes.WireUserPreferences, set_preferences
    ),
}
