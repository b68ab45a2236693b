"""Official clients that can be instrumented: one module a library; `producers.instrumentation.registry` finds them."""
