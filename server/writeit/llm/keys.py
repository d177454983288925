"""API keys: from the environment, else from the system keyring. Never logged."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping

from writeit.domain.errors import InvalidParams, StoreError
from writeit.llm.providers.registry import (
    WELL_KNOWN_PROVIDERS,
    key_variables,
    needs_key,
)
from writeit.ports.system import KeySource

logger = logging.getLogger(__name__)

KEYRING_SERVICE = "writeit"
"""The name our keys have in the system keyring."""


class SystemKeys:
    """Implements the `Keys` port; keeps no key itself."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._environment = os.environ if environment is None else environment

    def get(self, provider: str) -> str | None:
        """Return the key of `provider`, or None."""
        found = self._read_environment(provider)
        if found is not None:
            return found
        try:
            return _read_keyring(provider)
        except _KeyringUnavailable:
            # There is no key to be had; the error of the call says how to set one.
            return None

    def source(self, provider: str) -> KeySource:
        """Say where the key of `provider` comes from."""
        return self.sources((provider,), well_known=())[provider]

    def sources(
        self,
        include: Iterable[str] = (),
        *,
        well_known: Iterable[str] = WELL_KNOWN_PROVIDERS,
    ) -> dict[str, KeySource]:
        """Say where the keys of the usual providers and of `named` come from.

        A keyring that refuses once is not asked again: it may be asking its owner.
        """
        sources: dict[str, KeySource] = {}
        usable = True
        for provider in dict.fromkeys((*well_known, *include)):
            sources[provider] = "none"
            if self._read_environment(provider):
                sources[provider] = "environment"
            elif usable and needs_key(provider):
                try:
                    if _read_keyring(provider):
                        sources[provider] = "keyring"
                except _KeyringUnavailable:
                    usable = False
        return sources

    def set(self, provider: str, key: str) -> None:
        """Keep `key` in the system keyring, in place of the one that was there.

        Raises:
            InvalidParams: it is no key, or the provider needs none.
            StoreError: there is no keyring on this system.
        """
        key = validate_key(provider, key)
        import keyring  # noqa: PLC0415 -- slow to import, and rarely needed

        try:
            keyring.set_password(KEYRING_SERVICE, provider, key)
        except Exception as error:  # noqa: BLE001 -- backends raise what they like
            # Nothing of the error is kept: it may hold what it was given.
            logger.info("the keyring refused a key: %s", type(error).__name__)
            raise _keyring_error(provider) from None

    def _read_environment(self, provider: str) -> str | None:
        for variable in key_variables(provider):
            value = self._environment.get(variable, "").strip()
            if value:
                return value
        return None


class _KeyringUnavailable(Exception):
    """No backend, a locked one, or one that was refused."""


def _read_keyring(provider: str) -> str | None:
    import keyring  # noqa: PLC0415 -- slow to import, and not needed with a variable

    try:
        return keyring.get_password(KEYRING_SERVICE, provider) or None
    except Exception as error:  # noqa: BLE001 -- backends raise what they like
        logger.debug("the keyring cannot be used: %s", type(error).__name__)
        raise _KeyringUnavailable from None


def validate_key(provider: str, key: str) -> str:
    """Return `key` as it is kept: without the white space around it.

    Raises:
        InvalidParams: it is no key, or the provider needs none.
    """
    key = key.strip()
    if not needs_key(provider):
        raise _invalid_key_error(
            "provider", f"{provider} needs no key.", "Nothing is to be done."
        )
    if not key:
        raise _invalid_key_error(
            "key", "The key is empty.", "Give the key the provider showed."
        )
    if not key.isascii() or not key.isprintable() or " " in key:
        raise _invalid_key_error(
            "key",
            "The key holds white space or characters that no key has.",
            "Copy it again from the provider's page.",
        )
    return key


def _invalid_key_error(path: str, message: str, hint: str) -> InvalidParams:
    problems = [{"path": path, "message": message}]
    return InvalidParams(message, hint=hint, problems=problems)


def _keyring_error(provider: str) -> StoreError:
    variable = key_variables(provider)[0]
    return StoreError(
        f"The key of {provider} was not kept: no system keyring can be used.",
        reason="keyring",
        hint=f"Set the environment variable {variable} where the editor is started,"
        " or unlock the system's keyring and try again.",
    )
