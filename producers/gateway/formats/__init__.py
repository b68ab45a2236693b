"""What the gateway reads, one module a format. A module registers its formats when it is imported."""

from producers.gateway.formats.registry import Format, formats, formats_by_path, gateway_format

__all__ = ["Format", "formats", "formats_by_path", "gateway_format"]
