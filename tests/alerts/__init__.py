"""Alert rules: each fires when it should, and not when it should not."""
