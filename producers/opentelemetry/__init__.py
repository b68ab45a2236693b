"""OpenTelemetry's signals as usage events: GenAI spans, and what coding agents log and measure.

Pure: bytes and a context in, events out. The way is `protobuf` or `json_form` (OTLP as it came, to `signals`), then
`spans`, `logs` or `metrics` (signals to events).

Invariant: of a signal's attributes only those that a reader has named are decoded at all. Prompts, answers, span
events and the bodies of logs are passed over where they stand.
"""
