"""Time an epoch of fine-tuning the last block: plain Keras against what is kept below the cut.

    python tests/benchmarks/bench_fine_tuning.py [--backbones EfficientNetLite0 MobileNetV2] [--image-size 96]

Both train the same layers on the same images in the same process; weights are random where none are at hand, which
changes no time. Plain Keras runs the whole backbone in every epoch with model.fit. The first epoch, in which
TensorFlow traces its functions, is left out on both sides; the one reading of the frozen part is given by itself.
"""

import argparse
import os
import statistics
import tempfile
import time
from itertools import pairwise

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def plain(dataset, backbone, epochs, batch_size):
    """Seconds of each epoch with model.fit."""
    import keras

    from tl_widgets.models.builders import build_transfer
    from tl_widgets.training.fine_tuning import cut_backbone

    model = build_transfer(dataset.image_shape, dataset.n_classes, backbone=backbone, weights=None)
    inner = next(layer for layer in model.layers if isinstance(layer, keras.Model) and layer.name != "preprocessing")
    cut_backbone(inner, 1)  # sets what is trainable; the model itself stays whole
    model.compile(keras.optimizers.Adam(1e-4), "sparse_categorical_crossentropy", metrics=["accuracy"])
    seconds = []
    for _ in range(epochs):
        started = time.perf_counter()
        validation = (dataset.validation.images, dataset.validation.labels)
        model.fit(dataset.train.images, dataset.train.labels, batch_size, validation_data=validation, verbose=0)
        seconds.append(time.perf_counter() - started)
    return seconds


def kept(dataset, backbone, epochs, batch_size):
    """Seconds of each epoch with what is below the cut kept, and of its reading."""
    from tl_widgets import ScratchSpec, compare
    from tl_widgets.training.fine_tuning import fine_tune

    small = ScratchSpec(filters=(2,), kernel_sizes=(3,), head="global_average", dense_units=0)
    first = compare(dataset, backbone=backbone, weights=None, scratch=small, epochs=1, batch_size=batch_size)
    run = fine_tune(first, dataset, epochs=epochs).fine_tuned
    ends = run.history.seconds
    return [b - a for a, b in pairwise(ends)], run.seconds.prepare - first.transfer.seconds.prepare


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--backbones", nargs="+", default=["EfficientNetLite0", "MobileNetV2"])
    parser.add_argument("--image-size", type=int, default=96)
    parser.add_argument("--epochs", type=int, default=4)
    args = parser.parse_args()
    os.environ["TL_WIDGETS_HOME"] = tempfile.mkdtemp()
    from tl_widgets import load_dataset

    dataset = load_dataset("textures", image_size=args.image_size)
    for name in args.backbones:
        whole = statistics.median(plain(dataset, name, args.epochs, 16)[1:])
        seconds, reading = kept(dataset, name, args.epochs, 16)
        cut = statistics.median(seconds[1:])
        print(
            f"{name}: plain Keras {whole:.2f} s per epoch, kept below the cut {cut:.2f} s: {whole / cut:.1f} times "
            f"faster; reading what is kept took {reading:.2f} s once"
        )


if __name__ == "__main__":
    main()
