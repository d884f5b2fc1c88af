"""Fine-tuning: against plain Keras with the same seed, where a backbone can be cut, what stays as it was."""

import threading

import keras
import numpy as np
import pytest
from helpers import answers_of

from tl_widgets.backbones.catalogue import find_backbone
from tl_widgets.backbones.weights import resolve_weights
from tl_widgets.core.config import ScratchSpec
from tl_widgets.core.errors import InputError
from tl_widgets.data.catalogue import load_dataset
from tl_widgets.experiments.comparison import RunCache, compare
from tl_widgets.models.builders import build_transfer, frozen_layers
from tl_widgets.plots.comparison import plot_accuracy
from tl_widgets.records.comparison import Comparison
from tl_widgets.training.fine_tuning import cut_backbone, fine_tune
from tl_widgets.training.learners import batches

SCRATCH = ScratchSpec(filters=(4,), kernel_sizes=(3,), dense_units=0)


@pytest.fixture(scope="module")
def textures():
    return load_dataset("textures", image_size=48, n_per_class=8)


@pytest.fixture(scope="module")
def both(textures, tmp_path_factory):
    """A comparison, what its backbone answered before, and the comparison after fine-tuning."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TL_WIDGETS_HOME", str(tmp_path_factory.mktemp("home")))
        cache = RunCache()
        first = compare(textures, scratch=SCRATCH, epochs=3, batch_size=8, seed=5, cache=cache)
        before = first.transfer.model.get_weights()
        tuned = fine_tune(first, textures, n_blocks=1, epochs=2, learning_rate=1e-3)
        return first, before, tuned


def test_plain_keras_with_the_same_seed_gives_the_same_weights(textures, both):
    first, start, tuned = both
    plain = build_transfer(textures.image_shape, textures.n_classes, seed=5)
    plain.layers[-1].set_weights(first.transfer.model.layers[-1].get_weights())
    inner = next(one for one in plain.layers if isinstance(one, keras.Model) and one.name != "preprocessing")
    inner.trainable = True
    above = False
    for layer in inner.layers:
        above = above or layer.name.startswith("block7a")
        layer.trainable = above and not isinstance(layer, keras.layers.BatchNormalization)
    plain.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy")
    for epoch in range(2):
        for chosen in batches(len(textures.train), 8, seed=5, epoch=epoch):
            plain.train_on_batch(textures.train.images[chosen], textures.train.labels[chosen])
    ours = tuned.fine_tuned.model
    # Adam's steps have nearly the same length whatever the gradient, so the roundings of weights that hardly matter
    # show: the two must have moved by the same, as vectors.
    flat = [
        np.concatenate([w.ravel() for w in weights]) for weights in (ours.get_weights(), plain.get_weights(), start)
    ]
    moved, apart = np.linalg.norm(flat[1] - flat[2]), np.linalg.norm(flat[0] - flat[1])
    assert moved > 1
    assert apart < 0.01 * moved
    answers = answers_of(plain, textures.test.images)
    np.testing.assert_allclose(answers, tuned.fine_tuned.probabilities, atol=2e-2)


def test_only_what_is_above_the_cut_has_moved(both):
    _, before, tuned = both
    backbone = tuned.fine_tuned.model.get_layer("efficientnetlite0")
    names = [weight.path for weight in tuned.fine_tuned.model.weights]
    moved = [
        name
        for name, a, b in zip(names, before, tuned.fine_tuned.model.get_weights(), strict=True)
        if not np.array_equal(a, b)
    ]
    assert moved
    assert all(part.split("/")[-2].startswith(("block7a", "head", "output")) for part in moved)
    assert not any(part.split("/")[-2].endswith("_bn") for part in moved)
    assert backbone.trainable_weights


def test_the_frozen_stage_is_left_alone(both):
    first, before, tuned = both
    for a, b in zip(first.transfer.model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)
    assert tuned.transfer is first.transfer
    assert first.fine_tuned is None


def test_the_curve_goes_on_behind_a_marker(both):
    first, _, tuned = both
    run = tuned.fine_tuned
    assert run.history.loss[:3] == first.transfer.history.loss
    assert len(run.history.loss) == 5
    assert run.history.loss[3] < run.history.loss[0], "it must not begin anew"
    assert list(run.history.seconds) == sorted(run.history.seconds)
    assert (run.fine_tuning.start, run.fine_tuning.first_block) == (3, "block7a")
    ax = plot_accuracy(tuned)
    assert any(list(line.get_xdata()) == [3.5, 3.5] for line in ax.lines)
    assert "fine-tuning starts" in [text.get_text() for text in ax.texts]


def test_its_model_answers_as_it_did_in_the_test(textures, both):
    run = both[2].fine_tuned
    answers = answers_of(run.model, textures.test.images)
    np.testing.assert_allclose(answers, run.probabilities, atol=1e-4)
    assert run.params.trainable == sum(int(np.prod(w.shape)) for w in run.model.trainable_weights)


def test_the_record_keeps_it(textures, both):
    again = Comparison.from_json(both[2].to_json())
    assert again == both[2]
    assert again.fine_tuned.fine_tuning.n_blocks == 1
    assert "Fine-tuned, the backbone answers" in again.verdict.text
    with pytest.raises(InputError, match="read from JSON"):
        fine_tune(again, textures)


def test_another_second_stage_takes_the_place_of_the_first(textures, both):
    again = fine_tune(both[2], textures, n_blocks=1, epochs=1, learning_rate=1e-3)
    assert again.verdict.text.count("Fine-tuned") == 1
    assert again.fine_tuned.history.loss == both[2].fine_tuned.history.loss[:4]


def test_stop_before_it_begins_leaves_the_comparison(textures, both):
    cancel = threading.Event()
    cancel.set()
    assert fine_tune(both[0], textures, cancel=cancel) is both[0]


def test_stop_inside_it_is_marked(textures, both):
    cancel = threading.Event()

    def on_event(event):
        if event.phase == "train" and event.epoch == 1:
            cancel.set()

    stopped = fine_tune(both[0], textures, epochs=5, on_event=on_event, cancel=cancel)
    assert stopped.fine_tuned.stopped
    assert len(stopped.fine_tuned.history.loss) == 4
    assert stopped.verdict.text.endswith("stopped before its test.")


@pytest.mark.parametrize("n_blocks", [0, 16, 2.5])
def test_a_number_of_blocks_that_leaves_nothing_frozen_is_refused(textures, both, n_blocks):
    with pytest.raises(InputError, match="n_blocks"):
        fine_tune(both[0], textures, n_blocks=n_blocks)


@pytest.mark.parametrize(
    ("name", "n_blocks", "first"),
    [
        ("EfficientNetLite0", 1, "block7a"),
        ("EfficientNetLite0", 3, "block6c"),
        ("MobileNetV2", 1, "block_16"),
        ("ResNet50", 1, "conv5_block3"),
        ("Xception", 2, "block13"),
        ("VGG16", 1, "block5"),
    ],
)
def test_both_parts_together_are_the_backbone(name, n_blocks, first):
    entry = find_backbone(name)
    shape = (80, 80, 3)
    layers = frozen_layers(entry, shape, resolve_weights(entry, None), seed=1)
    backbone = next(one for one in layers if isinstance(one, keras.Model) and one.name != "preprocessing")
    images = np.random.default_rng(0).normal(size=(2, *shape)).astype(np.float32)
    expected = backbone(images, training=False).numpy()
    start, lower, upper = cut_backbone(backbone, n_blocks)
    assert start == first
    np.testing.assert_allclose(upper(lower(images, training=False), training=False), expected, atol=1e-5)
    assert not lower.trainable_weights
    n_weights = len(lower.weights) + len(upper.weights)
    assert n_weights == len(backbone.weights)
    assert not any(one.name.startswith(f"{first}_") for one in lower.layers)
    assert any(one.name.startswith(f"{first}_") for one in upper.layers)
