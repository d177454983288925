"""WriteIt: a language server for writing.

The package is laid out in rooms with one-way arrows between them; ARCHITECTURE.md
names each room, what it may import and what it must never do.
"""

from __future__ import annotations

__version__ = "0.1.0"
