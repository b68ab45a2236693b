"""Which models there are, what they can do, and when they come and go: facts with their sources and two times."""

from tokenweir.catalog.catalog import Catalog, Replacement
from tokenweir.catalog.model import STATES, Found, Model, Source, State, Successor

__all__ = ["STATES", "Catalog", "Found", "Model", "Replacement", "Source", "State", "Successor"]
