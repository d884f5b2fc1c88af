"""Time tl_widgets against the plain Keras recipe for a frozen backbone, on the same images, in one process.

    python tests/benchmarks/bench_training.py FOLDER [--backbone MobileNetV2 --weights FILE] [--epochs 10 50]

FOLDER has train/, validation/ (optional) and test/ with one sub-folder per class. The plain recipe is that of the
Keras guide on transfer learning: image_dataset_from_directory, a frozen backbone called with training=False, and
model.fit. Both sides decode the images, build the model, train with validation in every epoch and test once. With E
epochs the plain recipe runs the backbone E x (train + validation) + test times where tl_widgets runs it train +
validation + test times: the gain from counting, printed beside the gain in seconds. Also times a head that is trained
again on kept features.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def lay_out(source, target, image_size, n_copies):
    """Write the three splits, each image with changed copies, as JPEG files for both sides; return their sizes."""
    from PIL import Image

    from tl_widgets import load_folder
    from tl_widgets.training.learners import with_augmented

    dataset = load_folder(source, image_size=image_size)
    sizes = []
    for name in ("train", "validation", "test"):
        split = with_augmented(getattr(dataset, name), n_copies)
        for i, (image, label) in enumerate(zip(split.images, split.labels, strict=True)):
            folder = target / name / dataset.class_names[label]
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(folder / f"{i:05}.jpg", quality=95)
        print(f"{name}: {len(split)} images")
        sizes.append(len(split))
    return sizes


def plain(folder, image_size, backbone, weights, epochs, batch_size):
    """Seconds and test accuracy of the recipe in the Keras guide."""
    import keras

    from tl_widgets.backbones.catalogue import find_backbone
    from tl_widgets.backbones.loading import build_backbone, build_preprocessing
    from tl_widgets.backbones.weights import resolve_weights

    started = time.perf_counter()
    sets = {
        name: keras.utils.image_dataset_from_directory(
            folder / name,
            image_size=(image_size, image_size),
            batch_size=batch_size,
            shuffle=name == "train",
            verbose=0,
        ).prefetch(2)
        for name in ("train", "validation", "test")
    }
    entry = find_backbone(backbone)
    base = build_backbone(entry, (image_size, image_size, 3), resolve_weights(entry, weights))
    inputs = keras.Input((image_size, image_size, 3))
    preprocessing = build_preprocessing(entry)
    outputs = base(preprocessing(inputs) if preprocessing else inputs, training=False)
    outputs = keras.layers.GlobalAveragePooling2D()(outputs)
    n_classes = len(list((folder / "train").iterdir()))
    outputs = keras.layers.Dense(n_classes, activation="softmax")(outputs)
    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(sets["train"], validation_data=sets["validation"], epochs=epochs, verbose=0)
    accuracy = model.evaluate(sets["test"], verbose=0)[1]
    return time.perf_counter() - started, accuracy


def ours(folder, image_size, backbone, weights, epochs, batch_size):
    """Seconds and test accuracy of tl_widgets with nothing kept from before."""
    from tl_widgets import build_transfer, load_folder, train

    with tempfile.TemporaryDirectory() as home:
        os.environ["TL_WIDGETS_HOME"] = home
        started = time.perf_counter()
        dataset = load_folder(folder, image_size=image_size)
        model = build_transfer(dataset.image_shape, dataset.n_classes, backbone=backbone, weights=weights)
        result = train(model, dataset, epochs=epochs, batch_size=batch_size)
        return time.perf_counter() - started, result.test_accuracy


def warm_head():
    """Milliseconds for 10 epochs of a head of 12 classes on 720 x 1280 kept features; Keras's fit beside it."""
    import keras
    import numpy as np

    from tl_widgets.training.learners import LinearHead, batches

    rng = np.random.default_rng(0)
    features, labels = rng.normal(size=(720, 1280)).astype(np.float32), rng.integers(0, 12, 720)
    kernel = rng.normal(size=(1280, 12)).astype(np.float32) * 0.03

    def numpy_head():
        head = LinearHead(kernel, np.zeros(12, np.float32), learning_rate=1e-3, dropout=0.0, seed=0)
        for epoch in range(10):
            for chosen in batches(720, 16, seed=0, epoch=epoch):
                head.fit_batch(features[chosen], labels[chosen])

    def keras_head():
        model = keras.Sequential([keras.Input((1280,)), keras.layers.Dense(12, activation="softmax")])
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        model.fit(features, labels, batch_size=16, epochs=10, verbose=0)

    times = []
    for make in (numpy_head, keras_head):
        make()
        rounds = []
        for _ in range(5):
            started = time.perf_counter()
            make()
            rounds.append(time.perf_counter() - started)
        times.append(1000 * sorted(rounds)[2])
    return times


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--backbone", default="EfficientNetLite0")
    parser.add_argument("--weights", default="imagenet")
    parser.add_argument("--image-size", type=int, default=160)
    parser.add_argument(
        "--copies", type=int, default=3, help="changed copies of each image, to make a data set of size"
    )
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--epochs", type=int, nargs="+", default=[10, 50])
    arguments = parser.parse_args()
    import tensorflow as tf

    print(f"{sys.platform}, {os.cpu_count()} cores, TensorFlow {tf.__version__}")
    head, fit = warm_head()
    print(f"head on kept features, 720 x 1280, 12 classes, 10 epochs: {head:.0f} ms; Keras fit {fit:.0f} ms")
    scratch = Path(tempfile.mkdtemp())
    try:
        n_train, n_validation, n_test = lay_out(arguments.folder, scratch, arguments.image_size, arguments.copies)
        settings = (arguments.image_size, arguments.backbone, arguments.weights)
        # Warm both sides: whoever comes first would pay for TensorFlow's own start.
        ours(scratch, *settings, 1, arguments.batch_size)
        plain(scratch, *settings, 1, arguments.batch_size)
        for epochs in arguments.epochs:
            mine, accuracy = ours(scratch, *settings, epochs, arguments.batch_size)
            theirs, their_accuracy = plain(scratch, *settings, epochs, arguments.batch_size)
            gain = theirs / mine
            n_fitted = n_train + n_validation
            counted = (epochs * n_fitted + n_test) / (n_fitted + n_test)
            print(
                f"{arguments.backbone}, {arguments.image_size} px, {epochs} epochs: plain Keras {theirs:.1f} s "
                f"({their_accuracy:.3f}), tl_widgets {mine:.1f} s ({accuracy:.3f}): {gain:.1f} times as fast, "
                f"{gain / epochs:.2f} of the epochs; {counted:.1f} from counting images"
            )
    finally:
        shutil.rmtree(scratch)


if __name__ == "__main__":
    main()
