"""One module a vendor: what to ask for its reports, and what the answers say."""
