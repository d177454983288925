"""API keys from the environment, else from the system keyring; never logged."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Mapping

from writeit.domain.errors import InvalidParams, StoreError
from writeit.llm.providers.provider import key_variables
from writeit.llm.providers.registry import WELL_KNOWN_PROVIDERS, get_provider
from writeit.ports.system import KeySource

logger = logging.getLogger(__name__)

KEYRING_SERVICE = "writeit"
"""The service name of our keys in the system keyring."""


class SystemKeys:
    """Implements the `Keys` port; keeps no key itself."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._environment = os.environ if environment is None else environment

    def get(self, provider: str) -> str | None:
        """Return the key of `provider`, or None."""
        try:
            return self._read_environment(provider) or _read_keyring(provider)
        except _KeyringUnavailable:
            return None  # the error of the call says how to set a key

    def source(self, provider: str) -> KeySource:
        """Say where the key of `provider` comes from."""
        return self.sources((provider,), well_known=())[provider]

    def sources(
        self,
        include: Iterable[str] = (),
        *,
        well_known: Iterable[str] = WELL_KNOWN_PROVIDERS,
    ) -> dict[str, KeySource]:
        """Say where the keys of the well-known providers and of `include` come from.

        A keyring that refuses once is not read again, because it may ask the user.
        """
        sources: dict[str, KeySource] = {}
        usable = True
        for provider in dict.fromkeys((*well_known, *include)):
            sources[provider] = "none"
            if self._read_environment(provider):
                sources[provider] = "environment"
            elif usable and get_provider(provider).needs_key:
                try:
                    if _read_keyring(provider):
                        sources[provider] = "keyring"
                except _KeyringUnavailable:
                    usable = False
        return sources

    def set(self, provider: str, key: str) -> None:
        """Store `key` in the system keyring, replacing the old one.

        Raises:
            InvalidParams: it is not a valid key, or the provider needs none.
            StoreError: the system has no usable keyring.
        """
        key = validate_key(provider, key)
        import keyring  # noqa: PLC0415 -- slow to import, and rarely needed

        try:
            keyring.set_password(KEYRING_SERVICE, provider, key)
        except Exception as error:  # noqa: BLE001 -- backends raise what they like
            # The error itself is dropped, because it may contain the key.
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
    """Return `key` without surrounding white space.

    Raises:
        InvalidParams: it is not a valid key, or the provider needs none.
    """
    key = key.strip()
    if not get_provider(provider).needs_key:
        raise _invalid_key_error(
            "provider", f"{provider} needs no key.", "You can use it without one."
        )
    if not key:
        raise _invalid_key_error(
            "key", "The key is empty.", "Copy it from the provider's page."
        )
    if not key.isascii() or not key.isprintable() or " " in key:
        raise _invalid_key_error(
            "key",
            "The key contains white space or characters that are not allowed.",
            "Copy it again from the provider's page.",
        )
    return key


def _invalid_key_error(path: str, message: str, hint: str) -> InvalidParams:
    problems = [{"path": path, "message": message}]
    return InvalidParams(message, hint=hint, problems=problems)


def _keyring_error(provider: str) -> StoreError:
    variable = key_variables(provider)[0]
    return StoreError(
        f"The key for {provider} was not saved: the system keyring is not available.",
        reason="keyring",
        hint="Unlock the keyring and try again, or start the editor with the"
        f" environment variable {variable} set.",
    )
