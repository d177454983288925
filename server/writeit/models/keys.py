"""API keys: from the environment, else from the system keyring. Never logged."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal

from writeit.core.errors import StoreError
from writeit.models.providers import key_variables

if TYPE_CHECKING:
    from collections.abc import Mapping

SERVICE = "writeit"
"""The name our keys have in the system keyring."""


class SystemKeys:
    """Implements the `Keys` port; keeps no key itself."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._environment = os.environ if environment is None else environment

    def get(self, provider: str) -> str | None:
        """Return the key of `provider`, or None."""
        return self._from_environment(provider) or _from_keyring(provider)

    def source(self, provider: str) -> Literal["environment", "keyring", "none"]:
        """Say where the key of `provider` comes from."""
        if self._from_environment(provider):
            return "environment"
        return "keyring" if _from_keyring(provider) else "none"

    def set(self, provider: str, key: str) -> None:
        """Keep `key` in the system keyring.

        Raises:
            StoreError: there is no keyring on this system.
        """
        import keyring  # noqa: PLC0415 -- slow to import, and rarely needed
        import keyring.errors  # noqa: PLC0415 -- as above

        try:
            keyring.set_password(SERVICE, provider, key.strip())
        except keyring.errors.KeyringError as error:
            variable = key_variables(provider)[0]
            raise StoreError(
                f"The key of {provider} was not kept: no system keyring can be used.",
                reason="keyring",
                hint=f"Set the environment variable {variable} instead.",
            ) from error

    def _from_environment(self, provider: str) -> str | None:
        for variable in key_variables(provider):
            value = self._environment.get(variable, "").strip()
            if value:
                return value
        return None


def _from_keyring(provider: str) -> str | None:
    import keyring  # noqa: PLC0415 -- slow to import, and not needed with a variable
    import keyring.errors  # noqa: PLC0415 -- as above

    try:
        return keyring.get_password(SERVICE, provider) or None
    except keyring.errors.KeyringError:
        # No backend, a locked one, one that was refused: there is no key to be had,
        # and the error of the call says how to set one.
        return None
