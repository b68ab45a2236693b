"""The emitter's disk: messages that wait for Kafka, kept where `kill -9` does not reach."""
