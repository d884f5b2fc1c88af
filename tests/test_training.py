"""Training: kept features against training end to end, Stop, determinism, news, diagnoses, memory."""

import gc
import json
import subprocess
import sys
import threading
from collections import Counter
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from helpers import answers_of

import tl_widgets
from tl_widgets.core.config import ScratchSpec
from tl_widgets.core.errors import InputError
from tl_widgets.data.catalogue import load_dataset
from tl_widgets.data.dataset import ImageDataset, Split
from tl_widgets.models.builders import build_scratch, build_transfer
from tl_widgets.training import kept_learners
from tl_widgets.training.features import FrozenPart
from tl_widgets.training.learners import KerasLearner, LinearHead, batches, count_dead_units
from tl_widgets.training.loop import train

pytestmark = pytest.mark.usefixtures("tiny_default")

TINY = ScratchSpec((8, 8), (3, 3), dense_units=16)


@pytest.fixture(scope="module")
def textures():
    return load_dataset("textures", image_size=48, n_per_class=12)


@pytest.fixture(scope="module")
def faces():
    return load_dataset("faces", image_size=32, n_per_class=12)


def tiny_scratch(dataset, **changes):
    arguments = {"filters": (8, 8), "kernel_sizes": (3, 3), "dense_units": 16} | changes
    return build_scratch(dataset.image_shape, dataset.n_classes, **arguments)


@pytest.mark.parametrize("name", ["textures", "faces"])
def test_kept_features_give_the_model_that_training_end_to_end_gives(name, request):
    dataset = request.getfixturevalue(name)
    results = [
        train(
            build_transfer(dataset.image_shape, dataset.n_classes, seed=3),
            dataset,
            epochs=6,
            batch_size=8,
            seed=3,
            keep_features=keep,
        )
        for keep in (True, False)
    ]
    kept, whole = results
    same = np.mean(np.array(kept.predictions) == np.array(whole.predictions))
    assert same >= 0.995
    for a, b in zip(kept.model.trainable_weights, whole.model.trainable_weights, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), atol=2e-4)
    assert np.abs(kept.model.trainable_weights[0].numpy()).max() > 1e-2
    np.testing.assert_allclose(kept.history.loss, whole.history.loss, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(kept.history.val_loss, whole.history.val_loss, rtol=1e-3, atol=1e-4)
    # ... and the model that comes out answers as its kept features did.
    answers = answers_of(kept.model, dataset.test.images)
    np.testing.assert_allclose(answers[:, -1], np.array(kept.probabilities)[:, -1], atol=1e-4)


@pytest.mark.parametrize("n_classes", [2, 12])
def test_the_numpy_head_is_kerass_dense_layer_with_adam(n_classes):
    rng = np.random.default_rng(0)
    features = rng.normal(size=(120, 40)).astype(np.float32)
    labels = rng.integers(0, n_classes, 120)
    units = 1 if n_classes == 2 else n_classes
    dense = keras.layers.Dense(units, activation="sigmoid" if units == 1 else "softmax")
    model = keras.Sequential([keras.layers.Input((40,)), dense])
    loss = "binary_crossentropy" if units == 1 else "sparse_categorical_crossentropy"
    model.compile(keras.optimizers.Adam(3e-3), loss)
    head = LinearHead(*dense.get_weights(), learning_rate=3e-3, dropout=0.0, seed=0)
    for epoch in range(4):
        for chosen in batches(120, 16, seed=0, epoch=epoch):
            expected = model.train_on_batch(features[chosen], labels[chosen])
            model.reset_metrics()
            got, _ = head.fit_batch(features[chosen], labels[chosen])
            assert got == pytest.approx(float(expected), rel=1e-3, abs=1e-5)
    np.testing.assert_allclose(head.kernel, dense.kernel.numpy(), atol=1e-4)
    np.testing.assert_allclose(head.bias, dense.bias.numpy(), atol=1e-4)


def test_head_dropout_changes_training_and_not_the_answers_afterwards(textures):
    plain, dropped = (
        train(build_transfer(textures.image_shape, 3, head_dropout=rate), textures, epochs=3) for rate in (0.0, 0.5)
    )
    assert dropped.history.loss != plain.history.loss
    answers = answers_of(dropped.model, textures.test.images)
    np.testing.assert_allclose(answers, np.array(dropped.probabilities), atol=1e-4)


@pytest.mark.usefixtures("real_default")
def test_logistic_regression_agrees_on_the_same_features(assets):
    """An independent oracle: scikit-learn on the features that our head is trained on."""
    from sklearn.linear_model import LogisticRegression

    from tl_widgets.data.folder import load_folder

    flowers = load_folder(assets / "data" / "flowers", image_size=96)
    model = build_transfer(flowers.image_shape, flowers.n_classes)
    ours = train(model, flowers, epochs=30, learning_rate=1e-3)
    part = FrozenPart.of(model)
    seen, tested = part.read(flowers.train).values, part.read(flowers.test).values
    theirs = LogisticRegression(max_iter=5000).fit(seen, flowers.train.labels).score(tested, flowers.test.labels)
    assert abs(ours.test_accuracy - theirs) <= 0.02
    assert theirs > 0.8


def test_the_same_seed_gives_the_same_numbers_also_in_a_network_that_was_kept(textures, monkeypatch):
    seen = []

    def once(seed, rate=1e-3):
        model = tiny_scratch(textures, dropout=0.3, seed=seed)

        def look(event):  # as a learner may, after each epoch
            if event.metrics:
                seen.append(float(np.abs(model.weights[0].numpy()).sum()))

        return train(model, textures, epochs=2, seed=seed, learning_rate=rate, on_event=look)

    monkeypatch.setattr(kept_learners, "_kept", [])
    first, other, again = once(1), once(2, 0.01), once(1)
    ((_, learner),) = kept_learners._kept  # all three were trained by it
    assert first.history.loss == again.history.loss
    assert first.probabilities == again.probabilities
    assert first.history.loss != other.history.loss
    assert seen[:2] == seen[4:]
    assert len(set(seen)) == 4
    for run in (first, other):  # a training leaves the models of earlier ones alone
        answers = answers_of(run.model, textures.test.images)
        np.testing.assert_allclose(answers, np.array(run.probabilities), atol=1e-4)
    assert again.model is not learner.model
    for mine, its in zip(again.model.variables, learner.model.variables, strict=True):
        np.testing.assert_array_equal(mine.numpy(), its.numpy())  # the state of the Dropout, too
    train(tiny_scratch(textures, dropout=0.3, pooling="average"), textures, epochs=1)
    assert len(kept_learners._kept) == 2  # other layers are another network


def test_a_network_that_was_stopped_or_whose_layers_are_not_plain_is_not_kept(textures, monkeypatch):
    """After a Stop, a step may still be running."""
    monkeypatch.setattr(kept_learners, "_kept", [])
    stop = StopAt(lambda event: event.epoch == 1)
    train(tiny_scratch(textures), textures, epochs=9, on_event=stop, cancel=stop.cancel)
    regular = tiny_scratch(textures)
    regular.layers[-1].kernel_regularizer = keras.regularizers.L2()
    train(regular, textures, epochs=1)
    partly = tiny_scratch(textures)
    partly.layers[-1].bias.trainable = False
    train(partly, textures, epochs=1)
    assert not partly.layers[-1].bias.numpy().any()
    assert kept_learners._kept == []


def test_a_network_is_kept_for_the_settings_that_it_was_traced_with(textures, monkeypatch):
    model = tiny_scratch(textures)
    before = kept_learners._key(model, tf.uint8, None)
    assert before is not None
    for name, value in {"epsilon": 0.1, "floatx": "float64"}.items():
        monkeypatch.setattr(keras.config, name, lambda value=value: value)
        assert kept_learners._key(model, tf.uint8, None) != before
        monkeypatch.undo()
    model.trainable = False
    model.layers[-1].trainable = True
    assert kept_learners._key(model, tf.uint8, None) is None  # Keras then trains nothing
    model = tiny_scratch(textures, dropout=0.3)
    model.layers[-2].rate = 0
    assert kept_learners._key(model, tf.uint8, None) is None  # a copy has no generator
    model = tiny_scratch(textures)
    model.layers[-1].kernel_initializer = lambda shape, dtype=None: tf.zeros(shape, dtype)
    assert kept_learners._key(model, tf.uint8, None) is None  # Keras can't make a copy of it


def test_augmented_copies_are_read_once_and_used(textures):
    plain = train(build_transfer(textures.image_shape, 3), textures, epochs=2)
    before = textures.train.images.copy()
    events = []
    augmented = train(build_transfer(textures.image_shape, 3), textures, epochs=2, augment=2, on_event=events.append)
    read = [event for event in events if event.phase == "features" and event.n_total == 3 * len(textures.train)]
    assert read[-1].n_done == 3 * len(textures.train)
    assert augmented.history.loss != plain.history.loss
    np.testing.assert_array_equal(textures.train.images, before)


def test_every_phase_and_epoch_is_told(textures):
    events = []
    train(build_transfer(textures.image_shape, 3), textures, epochs=3, name="transfer", on_event=events.append)
    assert {event.phase for event in events} >= {"features", "train", "evaluate", "done"}
    epochs = [event for event in events if event.metrics]
    assert [event.epoch for event in epochs] == [1, 2, 3]
    assert set(epochs[0].metrics) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert epochs[-1].seconds_left == 0
    assert {event.model for event in events} == {"transfer"}
    assert events[-1].phase == "done"


class StopAt:
    """Press Stop at the first event that a condition holds for, from the training's own thread."""

    def __init__(self, condition):
        self.cancel, self.condition, self.later = threading.Event(), condition, []

    def __call__(self, event):
        if self.cancel.is_set():
            self.later.append(event)
        elif self.condition(event):
            self.cancel.set()


def test_stop_while_training_keeps_what_there_is(textures):
    stop = StopAt(lambda event: event.epoch == 2)
    result = train(tiny_scratch(textures), textures, epochs=500, on_event=stop, cancel=stop.cancel)
    assert result.stopped
    assert len(result.history.loss) == 2
    assert result.test_accuracy is None
    assert [event.phase for event in stop.later] == ["done"]
    assert result.diagnoses[0].kind == "stopped"


def test_stop_while_reading_features_keeps_the_ones_that_were_read(textures):
    model = build_transfer(textures.image_shape, 3, weights=None, seed=77)
    stop = StopAt(lambda event: event.phase == "features")
    result = train(model, textures, epochs=5, on_event=stop, cancel=stop.cancel)
    assert result.stopped
    assert result.history.loss == ()
    events = []
    train(model, textures, epochs=1, on_event=events.append)
    first = next(event for event in events if event.phase == "features")
    assert first.n_done == 32, "the first 16 were kept, so the next batch ends at 32"


def test_stop_while_testing_gives_no_accuracy(textures):
    stop = StopAt(lambda event: event.phase == "evaluate")
    result = train(tiny_scratch(textures), textures, epochs=1, on_event=stop, cancel=stop.cancel)
    assert result.stopped
    assert result.test_accuracy is None
    assert len(result.history.loss) == 1


def test_it_runs_in_any_thread(textures):
    found = []
    thread = threading.Thread(target=lambda: found.append(train(tiny_scratch(textures), textures, epochs=1)))
    thread.start()
    thread.join(120)
    assert found[0].test_accuracy is not None


def test_one_answer_for_each_pixel_is_refused_with_the_way_out(textures):
    """The article's first recipe as printed: no pooling, no Flatten."""
    stack = [keras.layers.Input(textures.image_shape), keras.layers.Conv2D(4, 3, padding="same")]
    model = keras.Sequential([*stack, keras.layers.Dense(3, activation="softmax")])
    with pytest.raises(InputError, match="GlobalAveragePooling2D"):
        train(model, textures, epochs=1)


def test_images_of_another_size_are_refused(textures):
    with pytest.raises(InputError, match=r"image_shape=dataset\.image_shape"):
        train(build_scratch((32, 32, 3), 3), textures, epochs=1)


def test_a_network_too_large_for_the_memory_is_refused(textures, monkeypatch):
    monkeypatch.setattr("tl_widgets.core.resources.memory_available", lambda: 1_000_000)
    with pytest.raises(InputError, match=r"needs about .* of memory"):
        train(tiny_scratch(textures), textures, epochs=1)


def test_dead_units_are_counted_and_named(textures):
    model = tiny_scratch(textures, dense_units=6)
    dense = model.layers[-2]
    dense.set_weights([np.zeros_like(dense.get_weights()[0]), np.full(6, -1.0)])
    counted = count_dead_units(model, textures.train)
    assert [(layer.layer, layer.n_units) for layer in counted] == [("Conv2D", 8), ("Conv2D", 8), ("Dense", 6)]
    assert counted[-1].n_dead == 6
    assert counted[0].n_dead < 8
    result = train(model, textures, epochs=1)
    assert result.diagnoses[0].kind == "dead_units"
    assert "6 of the 6 ReLU units in a Dense layer" in result.diagnoses[0].text


def test_over_fitting_is_named():
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 256, (n, 16, 16, 3), np.uint8) for n in (24, 24, 60)]
    splits = [Split(images, np.arange(len(images)) % 2) for images in noise]
    dataset = ImageDataset("noise", *splits, ("a", "b"))
    result = train(tiny_scratch(dataset, dense_units=64), dataset, epochs=40, learning_rate=3e-3)
    assert "overfitting" in [diagnosis.kind for diagnosis in result.diagnoses]


class TestWhatMayBeKept:
    """Features are kept only where training through the layers would see the same."""

    def stack(self, *layers):
        return keras.Sequential([keras.layers.Input((8, 8, 3)), *layers, keras.layers.Dense(3, activation="softmax")])

    def frozen(self, layer):
        layer.trainable = False
        return layer

    def test_a_frozen_stack_is_found_up_to_the_head(self):
        conv, pool = self.frozen(keras.layers.Conv2D(4, 3)), keras.layers.GlobalAveragePooling2D()
        part = FrozenPart.of(self.stack(keras.layers.Rescaling(1.0), conv, pool, keras.layers.Dropout(0.5)))
        assert part.n_layers == 3
        assert part.output_shape == (4,)

    @pytest.mark.parametrize("side", [127, 128])
    def test_large_images_in_two_halves_have_the_features_of_one_batch(self, side):
        pixels = np.random.default_rng(0).integers(0, 256, (17, side, side, 3), np.uint8)
        conv, pool = self.frozen(keras.layers.Conv2D(4, 3)), keras.layers.GlobalAveragePooling2D()
        head = keras.layers.Dropout(0.5)
        model = keras.Sequential([keras.layers.Input((side, side, 3)), conv, pool, head])
        features = FrozenPart.of(model).read(Split(pixels, np.zeros(17, np.int64)), keep=False).values
        np.testing.assert_allclose(features, pool(conv(pixels.astype(np.float32))), rtol=1e-5, atol=1e-3)

    def test_a_trainable_backbone_declines(self):
        assert FrozenPart.of(self.stack(keras.layers.Conv2D(4, 3), keras.layers.Flatten())) is None

    def test_nothing_frozen_declines(self):
        assert FrozenPart.of(self.stack(keras.layers.Rescaling(1.0), keras.layers.Flatten())) is None

    def test_a_random_layer_before_the_backbone_declines(self):
        conv = self.frozen(keras.layers.Conv2D(4, 3))
        assert FrozenPart.of(self.stack(keras.layers.RandomFlip(), conv, keras.layers.Flatten())) is None

    def test_dropout_inside_the_backbone_declines(self):
        inner = keras.Sequential([keras.layers.Input((8, 8, 3)), keras.layers.Conv2D(4, 3), keras.layers.Dropout(0.2)])
        assert FrozenPart.of(self.stack(self.frozen(inner), keras.layers.Flatten())) is None

    def test_batch_normalization_that_still_averages_declines(self):
        norm = keras.layers.BatchNormalization(center=False, scale=False)
        assert not norm.trainable_weights
        assert FrozenPart.of(self.stack(norm, keras.layers.Flatten())) is None

    def test_other_weights_are_another_fingerprint(self):
        def stack(seed, offset=0.0):
            initializer = keras.initializers.GlorotUniform(seed=seed)
            conv = self.frozen(keras.layers.Conv2D(4, 3, kernel_initializer=initializer))
            return FrozenPart.of(self.stack(keras.layers.Rescaling(1.0, offset), conv, keras.layers.Flatten()))

        same, again, weights, scaling = stack(1), stack(1), stack(2), stack(1, 0.5)
        assert same.fingerprint == again.fingerprint, "names that Keras counts up must not matter"
        assert len({same.fingerprint, weights.fingerprint, scaling.fingerprint}) == 3

    @pytest.mark.usefixtures("real_default")
    def test_a_head_of_more_layers_is_trained_on_kept_features_too(self, textures):
        events = []
        model = build_transfer(textures.image_shape, 3)
        hidden = keras.layers.Dense(8, "relu", kernel_initializer=keras.initializers.GlorotUniform(0))
        last = keras.layers.Dense(3, "softmax", kernel_initializer=keras.initializers.GlorotUniform(1))
        deeper = keras.Sequential([keras.layers.Input(textures.image_shape), *model.layers[:-1], hidden, last])
        result = train(deeper, textures, epochs=8, learning_rate=3e-3, on_event=events.append)
        assert "features" in {event.phase for event in events} or result.seconds.saved
        assert result.test_accuracy > 0.6


def test_kept_features_survive_the_process_and_a_broken_file(textures, home):
    from tl_widgets.training.feature_store import store_path

    def run():
        events = []
        result = train(build_transfer(textures.image_shape, 3), textures, epochs=1, on_event=events.append)
        return replace(result, model=None), [event for event in events if event.phase == "features"]

    first, _ = run()
    assert store_path().stat().st_size > 50_000
    second, read = run()
    assert not read
    assert second.seconds.saved > 0
    assert second.predictions == first.predictions
    store_path().write_bytes(b"this is no database")
    third, read = run()
    assert read
    assert third.predictions == first.predictions
    _, read = run()
    assert not read, "a broken file is made anew, and keeps features again"


def test_the_store_forgets_the_oldest_first(monkeypatch, home):
    from tl_widgets.training import feature_store as store

    monkeypatch.setattr(store, "MAX_BYTES", 2500)
    vector = np.ones(250, np.float32)  # 1,000 bytes
    for part in (b"1", b"2", b"3"):
        assert store.write_features(part, [(b"image", vector, 0.5)])
    assert not store.read_features(b"1", [b"image"])
    assert list(store.read_features(b"3", [b"image"])) == [b"image"]
    np.testing.assert_array_equal(store.read_features(b"2", [b"image"])[b"image"][0], vector)


def end_to_end(textures):
    train(tiny_scratch(textures), textures, epochs=1)
    train(build_transfer(textures.image_shape, 3), textures, epochs=1, keep_features=False)


def fine_tuning(textures):
    comparison = tl_widgets.compare(textures, epochs=1, scratch=TINY)
    tl_widgets.fine_tune(comparison, textures, epochs=1)


def learning_curve(textures):
    tl_widgets.learning_curve(textures, n_per_class=(3,), seeds=(0,), scratch=TINY, epochs=1)


def compiled_by_keras(textures):
    tl_widgets.what_goes_wrong(textures, mistake="sigmoid_from_logits", epochs=1)


def compiled_twice(textures):
    tl_widgets.what_goes_wrong(textures, mistake="trainable_without_compile", epochs=1)


@pytest.mark.parametrize(
    "run",
    [
        end_to_end,
        fine_tuning,
        learning_curve,
        compiled_by_keras,
        pytest.param(compiled_twice, marks=pytest.mark.slow),
    ],
)
def test_a_run_leaves_no_graph_and_no_model_behind(run, textures):
    def count():
        gc.collect()
        names = Counter(type(thing).__name__ for thing in gc.get_objects())
        return names["FuncGraph"], names["Functional"], names["Sequential"]

    run(textures)  # TensorFlow keeps a few graphs that it makes once
    before = count()
    run(textures)
    assert count() == before


def test_a_step_is_the_one_that_keras_makes(textures):
    """`learners` spells out what Adam's `apply` does, without what that leaves behind."""
    images, labels = textures.train.images[:16], textures.train.labels[:16]
    ours, theirs = (tiny_scratch(textures, seed=1) for _ in range(2))
    for model in (ours, theirs):
        model.layers[-1].kernel.constraint = keras.constraints.MaxNorm(0.5)
    theirs.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    learner = KerasLearner(ours, tf.uint8, 0.01)
    for _ in range(5):
        learner.fit_batch(images, labels)
        theirs.train_on_batch(images.astype(np.float32), labels)
    for a, b in zip(ours.trainable_weights, theirs.trainable_weights, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), atol=1e-5)
    assert np.linalg.norm(ours.layers[-1].kernel.numpy(), axis=0).max() <= 0.5 + 1e-6


@pytest.mark.slow
def test_fourteen_runs_leave_no_memory_behind():
    script = str(Path(__file__).with_name("memory_of_runs.py"))
    done = subprocess.run([sys.executable, script, "14"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    sizes = json.loads(done.stdout.splitlines()[-1])
    # TensorFlow's own cache of kernels grows by some 0.9 MB for each run; with a network that is kept it is 3 MB.
    assert np.mean(sizes[-3:]) - np.mean(sizes[6:9]) < 5 * 1.75, [round(size) for size in sizes]
    assert sizes[-1] < 900  # a small JupyterHub gives 1 GB for all of a session
