"""What the notebooks read from a Lab."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tl_widgets.core.errors import InputError
from tl_widgets.core.translation import _
from tl_widgets.data.catalogue import get_dataset, load_dataset
from tl_widgets.records.comparison import Comparison
from tl_widgets.widgets.lab.app import TransferLab


def result_of(lab: TransferLab) -> Comparison:
    """Wait for a Lab's run and return its last result; start a run if there was none.

    The Lab's progress goes on meanwhile, because it runs in a thread.

    Raises:
        InputError: The run was stopped, or it failed.
    """
    if lab.taken_up is not None:
        lab.taken_up.wait()  # with the models of the last kernel
    if lab.is_running or lab.result is None:
        lab.run(wait=True)
    if lab.result is None:
        raise InputError(
            _("The Lab has no result yet. Press Train both, wait until it's done, and run this cell again.")
        )
    return lab.result


def tested_images(result: Comparison) -> NDArray[np.uint8]:
    """Return the test images of a comparison on a named data set: uint8, shape (n, height, width, 3).

    Raises:
        InputError: The images are the learner's own.
    """
    about = result.dataset
    if get_dataset(about.name) is None:
        raise InputError(_("These are your own pictures. The Lab's tab Predictions shows them with both answers."))
    seed = about.origin.seed if about.origin is not None else 0
    dataset = load_dataset(about.name, image_size=about.image_size, seed=seed, classes=about.class_names)
    return np.asarray(dataset.test.images[:])
