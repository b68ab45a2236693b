"""The local page: one look at spend, calls and tokens, live, for everyone without a dashboard server."""
