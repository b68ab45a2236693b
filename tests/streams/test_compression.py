"""That aiokafka's producers compress lz4 at the fast level, and that it is still lz4."""

from aiokafka import codec
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords

from streams.compression import lz4_encode, use_fast_lz4
from tests.streams.making import a_line

_LZ4 = 3  # in the attributes of a record batch
VALUE = b"\n".join(a_line(number) for number in range(500))


def built() -> bytes:
    """A batch of one record, as the producer builds it."""
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=_LZ4,
        is_transactional=0,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=1 << 20,
    )
    builder.append(0, timestamp=1, key=b"k", value=VALUE, headers=[])
    return bytes(builder.build())


def test_the_level_is_ours_and_the_bytes_are_lz4() -> None:
    use_fast_lz4()
    batch = built()
    fast, slow = len(lz4_encode(VALUE)), len(codec.lz4_encode(VALUE))
    assert abs(len(batch) - fast) < abs(len(batch) - slow)
    records = MemoryRecords(batch)
    found = records.next_batch()
    assert found is not None
    assert [record.value for record in found] == [VALUE]
