"""WriteIt: a language server for writing.

ARCHITECTURE.md lists the packages and what each may import.
"""

from __future__ import annotations

__version__ = "0.1.0"
