"""How the feed finds a name: in the first of a vendor's models that means it, as genai-prices does."""

from collections.abc import Callable, Iterator, Sequence

from tokenweir.pricing.matching import with_dashed_date
from tokenweir.pricing.price import Price
from tokenweir.pricing.sources import VendorRows


def first_offer(vendor_rows: Callable[[str], VendorRows | None], vendor: str, model: str) -> Sequence[Price]:
    """The rows of the vendor's first model that means the name; empty where none does.

    vendor_rows: what the feed has of a vendor, each model a group.
    """
    for whose, name in ((vendor, model.lower()), *other_names(vendor, model)):
        found = vendor_rows(whose)
        offers = found.meaning(name) if found is not None else ()
        if offers:
            return offers[0]
    return ()


def other_names(vendor: str, model: str) -> Iterator[tuple[str, str]]:
    """What else the feed takes a name for, where it knows no such name: vendors and models, the nearest first."""
    name = model.lower()
    if vendor == "huggingface" and ":" in name:
        # Hugging Face's router takes the partner's name after a colon: meta-llama/Llama-3.3-70B:groq.
        base, _, partner = name.rpartition(":")
        vendor, name = f"huggingface_{partner}", base
        yield vendor, name
    dashed = with_dashed_date(name)
    if dashed != name:
        yield vendor, dashed
