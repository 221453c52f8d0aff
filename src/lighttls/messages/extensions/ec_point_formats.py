"""ec_point_formats (RFC 8422 §5.1.2)."""

from __future__ import annotations

from lighttls.wire import Structure, Vector, field, structure


@structure
class EcPointFormats(Structure):
    """Point formats; only uncompressed (0) is left (GRP-03 to GRP-06)."""

    ec_point_format_list: bytes = field(Vector(1, 0xFF))
