"""Where a Lab's images come from, loaded once for each data set and size."""

from __future__ import annotations

import threading

from tl_widgets.builtin import load_dataset
from tl_widgets.data import ImageDataset
from tl_widgets.events import Cancel, OnEvent, ignore
from tl_widgets.widgets.settings import LabSettings


class DataSource:
    """Loads the images that settings ask for; from any thread.

    Args:
        own: a data set that somebody brought; None for the built-in ones.
    """

    def __init__(self, own: ImageDataset | None) -> None:
        self.own = own
        self._kept: tuple[tuple[str, int], ImageDataset] | None = None
        self._lock = threading.Lock()

    def whole(self, settings: LabSettings, on_event: OnEvent = ignore, cancel: Cancel | None = None) -> ImageDataset:
        """The data set with all its training images.

        Args:
            settings: which data set, and how large its images are.
            on_event: hears of a download.
            cancel: stops one.

        Raises:
            InputError: it cannot be loaded.
            CancelledError: `cancel` was set.
        """
        if self.own is not None:
            return self.own
        key = (settings.dataset, settings.image_size)
        with self._lock:
            if self._kept is None or self._kept[0] != key:
                found = load_dataset(settings.dataset, image_size=settings.image_size, on_event=on_event, cancel=cancel)
                self._kept = (key, found)
            return self._kept[1]

    def load(self, settings: LabSettings, on_event: OnEvent = ignore, cancel: Cancel | None = None) -> ImageDataset:
        """The data set with as many training images as the settings say; arguments as in `whole`.

        Raises:
            InputError: it cannot be loaded, or has fewer.
            CancelledError: `cancel` was set.
        """
        dataset = self.whole(settings, on_event, cancel)
        return dataset if settings.n_per_class is None else dataset.take(settings.n_per_class)
