"""lz4 at the speed for which it is chosen.

aiokafka compresses lz4 at level 9 and has no setting for it. Measured on batches of metered events: 4 to 6 ms for
390 kB, which is longer than metering them takes. The levels below zero trade size for speed: the one taken here needs
0.2 ms, and its output is a quarter larger. Kafka's own Java client and kafka-python are fast by default, and readers
cannot tell the levels apart.
"""

from functools import partial
from importlib import import_module
from typing import Final

import lz4.frame

LZ4_LEVEL: Final = -3

# Kafka reads no linked blocks; a size of the content in the frame's head is not looked at.
lz4_encode = partial(lz4.frame.compress, compression_level=LZ4_LEVEL, block_linked=False, store_size=False)

# Where aiokafka's record builders look the function up: the compiled module and the one in plain Python.
_BUILDERS: Final = ("aiokafka.record._crecords.default_records", "aiokafka.record.default_records")


def use_fast_lz4() -> None:
    """Let every aiokafka producer of this process compress lz4 at LZ4_LEVEL. Calling it again changes nothing."""
    for name in _BUILDERS:
        try:
            builder = import_module(name)
        except ModuleNotFoundError:
            continue  # an aiokafka without its compiled modules
        if hasattr(builder, "lz4_encode"):
            builder.lz4_encode = lz4_encode  # type: ignore[attr-defined]
