"""Whether a file is as it was written: cut short, or changed by hand or by accident.

It is made alike in every format, so that a file of a newer one can be told from a
damaged one.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

KEY = "checksum"


def checksum_of(data: dict[str, Any]) -> str:
    """Return the checksum of all that a file says besides its checksum."""
    plain = _plain({key: value for key, value in data.items() if key != KEY})
    canonical = json.dumps(plain, sort_keys=True, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(canonical.encode()).hexdigest()}"


def _plain(value: object) -> object:
    """Return the value; 1.0 as 1, for other programs write the one for the other."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value
