"""Why a TIFF can't be read, of the many kinds that there are."""

from __future__ import annotations

import io

import numpy as np

from tl_widgets.core.translation import _


def tiff_reason(data: bytes) -> str:
    """Return why Pillow can't read a TIFF; "" for another file."""
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    if not data.startswith((b"II*\0", b"MM\0*")):
        return ""
    try:
        directory = ImageFileDirectory_v2(data[:8])
        stream = io.BytesIO(data)
        stream.seek(directory.next)
        directory.load(stream)
        n_channels, bits = int(directory.get(277, 1)), int(np.max(directory.get(258, 1)))
        is_float = 3 in np.atleast_1d(directory.get(339, 1))
    except Exception:  # a damaged file can raise any error
        return _("a damaged TIFF: save it again")
    if n_channels > 4 or n_channels == 2:
        return _(
            "a TIFF with {n_channels} channels: save the one or the three that should be seen as gray or RGB",
            n_channels=n_channels,
        )
    if is_float:
        return _("a TIFF with {bits}-bit floating-point values: save it with 8 or 16 bits", bits=bits)
    if bits > 16:
        return _("a TIFF with {bits}-bit values: save it with 8 or 16 bits", bits=bits)
    return _(
        "a TIFF of a kind that isn't read ({n_channels} channels of {bits} bits): save it again as 8-bit RGB",
        n_channels=n_channels,
        bits=bits,
    )


# The first bytes of JPEG XL: a bare stream, or in a container.
