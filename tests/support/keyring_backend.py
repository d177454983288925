"""A system keyring for tests: a dictionary in the process that uses it.

    environment = {"PYTHON_KEYRING_BACKEND": BACKEND, "PYTHONPATH": PATH}

`WRITEIT_TEST_KEYRING` holds the key that `openai` starts with.
"""

import os
from pathlib import Path
from typing import ClassVar

from keyring.backend import KeyringBackend

BACKEND = "support.keyring_backend.MemoryKeyring"
NO_BACKEND = "keyring.backends.fail.Keyring"
PATH = str(Path(__file__).parents[1])


class MemoryKeyring(KeyringBackend):
    """A keyring that lasts as long as its process."""

    priority = 1
    kept: ClassVar[dict[tuple[str, str], str]] = {}

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # keyring's
        if begun := os.environ.get("WRITEIT_TEST_KEYRING"):
            self.kept.setdefault(("writeit", "openai"), begun)

    def get_password(self, service: str, username: str) -> str | None:
        """Read a password."""
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep a password."""
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        """Forget a password."""
        del self.kept[service, username]
