"""The command `discover`: parses, calls, prints. What it does is in the other modules."""

from discover.cli.commands import app, main

__all__ = ["app", "main"]
