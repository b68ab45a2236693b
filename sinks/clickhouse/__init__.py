"""The ledger: usage events kept exactly, in ClickHouse or in chDB, over one DSN.

`connect` opens it, `migrate` makes or brings up its schema, `ClickHouseLedger` writes to it, `queries` reads it.
"""

from sinks.clickhouse.client import LedgerClient, connect
from sinks.clickhouse.ledger import ClickHouseLedger
from sinks.clickhouse.migrate import migrate

__all__ = ["ClickHouseLedger", "LedgerClient", "connect", "migrate"]
