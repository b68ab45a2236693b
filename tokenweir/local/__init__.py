"""The embedded run: broker, stream workers, ledger and page on one machine, with nothing but Python packages."""
