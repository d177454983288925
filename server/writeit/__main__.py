"""`python -m writeit` is the `writeit` command."""

from __future__ import annotations

from writeit.app import main

if __name__ == "__main__":
    main()
