"""What all records of experiments share: the data set, the machine, what failed, and reading them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from tl_widgets.core.errors import InputError
from tl_widgets.core.translation import _
from tl_widgets.records.codec import FORMAT, dump, from_plain, load, to_plain
from tl_widgets.records.kinds import Count
from tl_widgets.records.provenance import Origin


@dataclass(frozen=True)
class StudyFailure:
    """A point that couldn't be measured: its description, and why."""

    point: str
    text: str


class StudyRecord:
    """Base of a study's result: a frozen dataclass with JSON output and input.

    `tl_widgets.studies.study.StudyResult` lists what else every result has.
    """

    dataset: DatasetSummary

    @property
    def datasets(self) -> tuple[DatasetSummary, ...]:
        """The data sets that the study used."""
        return (self.dataset,)

    @property
    def rows(self) -> tuple[tuple[str, ...], ...]:
        """A table of texts, titles first; empty if the sentences say everything."""
        return ()

    @property
    def sentences(self) -> tuple[str, ...]:
        """The findings in plain sentences."""
        return ()

    @property
    def headline(self) -> str:
        """The answer in one sentence; the first one if the study has no shorter one."""
        return next(iter(self.sentences), "")

    @property
    def lost_arms(self) -> tuple[str, ...]:
        """The kinds of model whose points all failed."""
        return ()

    def to_json(self) -> str:
        """Return the record as JSON text for `from_json` of the same class."""
        return dump({"format": FORMAT, "study": type(self).__name__, **to_plain(self)})

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read a record that `to_json` wrote."""
        advice = _("Give the JSON that `tl-widgets study NAME --json FILE` or to_json() wrote.")
        try:
            record = load(text)
            if (record.pop("format", None), record.pop("study", None)) != (FORMAT, cls.__name__):
                raise InputError(_("it is not a {name} of format {format}", name=cls.__name__, format=FORMAT))
            result = from_plain(cls, record)
            require_usable(result)
            return result
        except InputError as error:
            raise InputError(
                _(
                    "This text is not a record of a {name} ({error}). {advice}",
                    name=cls.__name__,
                    error=error,
                    advice=advice,
                )
            ) from None


def require_usable(record: StudyRecord) -> None:
    """Raise `InputError` if a record that was read can't be shown or written again."""
    try:
        _unused = record.rows, record.sentences, record.to_json()
    except Exception as error:  # numbers that contradict each other may fail in any of the statistics
        raise InputError(
            _("its parts contradict each other: {name}: {error}", name=type(error).__name__, error=error)[:200]
        ) from None


@dataclass(frozen=True)
class DatasetSummary:
    """The images of an experiment.

    Attributes:
        image_size: The side in pixels.
        class_names: One name for each label.
        n_train, n_validation, n_test: Images in each split.
        source: Where the images come from, for people.
        origin: How to load them again; None if that isn't known.
        fingerprint: A hash of all images and labels (`ImageDataset.fingerprint`).
    """

    name: str
    image_size: Count
    class_names: tuple[str, ...]
    n_train: Count
    n_validation: Count
    n_test: Count
    source: str = ""
    origin: Origin | None = None
    fingerprint: str = ""


@dataclass(frozen=True)
class Environment:
    """The versions and the hardware of an experiment.

    Attributes:
        python, tensorflow, keras, tl_widgets: Versions.
        cpu_count: CPU cores that the process could use.
        device: "CPU" or the GPU's name.
        onednn: Whether TensorFlow used oneDNN, which rounds in other places; None in records from before.
    """

    python: str
    tensorflow: str
    keras: str
    tl_widgets: str
    cpu_count: Count
    device: str = "CPU"
    onednn: bool | None = None
