"""`python -m writeit` is the `writeit` command."""

from writeit.bootstrap import main

if __name__ == "__main__":
    main()
