"""The record of an exported model: whether it still answers the same, its size and its speed."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from tl_widgets.core.numbers import milliseconds_text, percent
from tl_widgets.core.translation import _
from tl_widgets.records.comparison import DatasetSummary, Environment, StudyRecord
from tl_widgets.records.kinds import Count, Difference, Duration, Share

MOST_DISAGREEMENT = 0.005  # share of the test images; an export beyond it isn't written without being asked for


@dataclass(frozen=True)
class ExportReport(StudyRecord):
    """An exported model against the original on all test images.

    Attributes:
        dataset: The images.
        model: The name of the exported model, such as "transfer".
        kind: "web", "tflite", "onnx" or "saved_model".
        int8: Whether weights and feature maps are 8-bit integers.
        n_calibration: Training images that the ranges of the integers were measured on; 0 without int8.
        n_images: Test images that both models answered.
        n_equal: Test images with the same answer.
        n_right_before, n_right_after: Right answers of the original and of the export.
        largest_difference: Of two probabilities for the same image and class.
        megabytes_before: Of the original's weights.
        megabytes_after: Of the exported model's files.
        milliseconds_before, milliseconds_after: For one image alone, the median over images.
        runtime: What ran the export, such as "LiteRT 2.3.0".
        seconds: What converting took.
        environment: The versions and hardware.
        files: The files beside the record.
        same_test: Whether these are the test images of the model's training; None if that isn't known.
    """

    dataset: DatasetSummary
    model: str
    kind: str
    int8: bool
    n_calibration: Count
    n_images: Count
    n_equal: Count
    n_right_before: Count
    n_right_after: Count
    largest_difference: Difference
    megabytes_before: Duration
    megabytes_after: Duration
    milliseconds_before: Duration
    milliseconds_after: Duration
    runtime: str
    seconds: Duration
    environment: Environment
    files: tuple[str, ...] = ()
    same_test: bool | None = None

    @property
    def agreement(self) -> Share:
        """The share of test images with the same answer, 0..1."""
        return self.n_equal / self.n_images

    @property
    def agrees(self) -> bool:
        """Whether at most 0.5% of the test images get another answer."""
        return self.n_images - self.n_equal <= MOST_DISAGREEMENT * self.n_images

    @property
    def rows(self) -> tuple[tuple[str, ...], ...]:
        """The original and the export side by side."""
        return (
            ("", _("Original"), _("Export")),
            (_("Right answers"), *(f"{n:,}" for n in (self.n_right_before, self.n_right_after))),
            (_("Size"), *(f"{size:.2f} MB" for size in (self.megabytes_before, self.megabytes_after))),
            (_("One image"), *map(milliseconds_text, (self.milliseconds_before, self.milliseconds_after))),
        )

    @property
    def sentences(self) -> tuple[str, ...]:
        """The findings in plain sentences, the proof first."""
        sentences = [
            _(
                "The export gives the same answer as the original on {n_equal:,} of {n:,} test images ({share}), and "
                "no probability differs by more than {difference:.6f}.",
                n_equal=self.n_equal,
                n=self.n_images,
                share=percent(self.agreement),
                difference=ceil(1e6 * self.largest_difference) / 1e6,  # rounded down, it would promise too much
            )
        ]
        if self.agrees:
            sentences.append(
                _(
                    "The export gets {n_after:,} of {n:,} test images right, the original {n_before:,}.",
                    n_after=self.n_right_after,
                    n=self.n_images,
                    n_before=self.n_right_before,
                )
            )
        else:
            sentences.append(
                _(
                    "On more than {limit} of the test images, the export and the original answer differently. The "
                    "export gets {n_after:,} right, the original {n_before:,}.",
                    limit=percent(MOST_DISAGREEMENT),
                    n_after=self.n_right_after,
                    n_before=self.n_right_before,
                )
            )
        if self.same_test is False:
            sentences.append(
                _(
                    "The model wasn't tested on these images when it was trained, so it may have learned from some of "
                    "them. Expect fewer right answers on new images."
                )
            )
        sentences.append(
            _(
                "The model takes {after:.2f} MB; the original's weights take {before:.2f} MB.",
                after=self.megabytes_after,
                before=self.megabytes_before,
            )
        )
        sentences.append(
            _(
                "One image takes {after} in {runtime}, and {before} in TensorFlow {version}, on this machine with {n} "
                "cores.",
                after=milliseconds_text(self.milliseconds_after),
                runtime=self.runtime,
                before=milliseconds_text(self.milliseconds_before),
                version=self.environment.tensorflow,
                n=self.environment.cpu_count,
            )
        )
        if self.int8:
            sentences.append(
                _(
                    "Its 8-bit numbers were calibrated with {n:,} training images, and no test image.",
                    n=self.n_calibration,
                )
            )
        return tuple(sentences)

    @property
    def headline(self) -> str:
        """The proof in one sentence."""
        return self.sentences[0]
