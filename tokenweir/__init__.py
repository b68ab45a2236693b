"""Tokenweir: every vendor's token usage in, one exact priced ledger out.

The package is the shared language of the project (usage, pricing, topics, settings). `tokenweir.local` and
`tokenweir.cli` stand on top of everything; nothing below may import them.
"""

__version__ = "0.1.0"
