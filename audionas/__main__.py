"""`python -m audionas`."""

from __future__ import annotations

from audionas.cli import main

if __name__ == "__main__":
    main()
