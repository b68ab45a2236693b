"""Where usage is kept: the ledger in ClickHouse."""
