"""The command line `weir`. One module a group of commands; this package only names them."""

from tokenweir.cli.root import main

__all__ = ["main"]
