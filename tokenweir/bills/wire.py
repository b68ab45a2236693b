"""Bills on the wire: newline-delimited JSON on the topic `bills`, keyed by whose account it is."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from tokenweir.bills.line import VendorBill

MAX_MESSAGE_LINES: Final = 500
MAX_MESSAGE_BYTES: Final = 1024 * 1024


def account_key(tenant: str, vendor: str, account: str) -> bytes:
    """The Kafka key of an account's bills, so that its reports stay in the order in which they were read."""
    return "\x1f".join((tenant, vendor, account)).encode()


def encode_bill(bill: VendorBill) -> bytes:
    """One line without its line end."""
    return bill.model_dump_json().encode()


def encode_messages(bills: Iterable[VendorBill]) -> Iterator[tuple[bytes, int]]:
    """Message values and the number of their lines, each within the bounds."""
    gathered: list[bytes] = []
    size = 0
    for bill in bills:
        line = encode_bill(bill)
        if gathered and (len(gathered) >= MAX_MESSAGE_LINES or size + len(line) > MAX_MESSAGE_BYTES):
            yield _joined(gathered)
            gathered, size = [], 0
        gathered.append(line)
        size += len(line) + 1
    if gathered:
        yield _joined(gathered)


def _joined(lines: Sequence[bytes]) -> tuple[bytes, int]:
    return b"\n".join(lines), len(lines)
