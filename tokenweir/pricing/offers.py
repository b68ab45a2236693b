"""How the feed finds a name: in the first of a vendor's models that means it, as genai-prices does."""

from collections.abc import Callable, Sequence

from tokenweir.pricing.matching import with_dashed_date
from tokenweir.pricing.price import Price
from tokenweir.pricing.sources import VendorRows


def first_offer(vendor_rows: Callable[[str], VendorRows | None], vendor: str, model: str) -> Sequence[Price]:
    """The rows of the vendor's first model that means the name; empty where none does.

    vendor_rows: what the feed has of a vendor, each model a group.
    """
    found = vendor_rows(vendor)
    if found is None:
        # Hugging Face's router takes the partner's name after a colon: meta-llama/Llama-3.3-70B:groq.
        if vendor == "huggingface" and ":" in model:
            base, _, partner = model.rpartition(":")
            if vendor_rows(f"huggingface_{partner}") is not None:
                return first_offer(vendor_rows, f"huggingface_{partner}", base)
        return ()
    name = model.lower()
    for spelling in dict.fromkeys((name, with_dashed_date(name))):
        offers = found.meaning(spelling)
        if offers:
            return offers[0]
    return ()
