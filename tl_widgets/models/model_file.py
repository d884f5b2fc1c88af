"""Write a Keras model so that nobody ever finds half of one."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any


def save_model(model: Any, path: Path) -> None:
    """Write a model as a file that plain Keras loads, in its safe mode.

    Args:
        model: a keras.Model.
        path: the file, which ends in .keras; what was there is replaced when the new file is whole.

    Raises:
        OSError: it cannot be written; nothing is left behind.
    """
    target = path.absolute()
    # Keras insists on the suffix, so the unfinished file gets a folder of its own.
    with tempfile.TemporaryDirectory(prefix=".tl-widgets-", dir=target.parent) as folder:
        unfinished = Path(folder) / "model.keras"
        try:
            model.save(unfinished)
        except (RuntimeError, ValueError) as error:  # what HDF5 makes of a disk that is full
            raise OSError(f"{target.name} could not be written: {error}") from error
        unfinished.replace(target)
