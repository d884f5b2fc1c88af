"""A look inside: Grad-CAM by hand and against plain Keras, PCA against scikit-learn, and that nothing is changed."""

import base64
import json
import threading
import warnings
from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from sklearn.decomposition import PCA
from tiny import TinyFamily, registered

from tl_widgets.backbones.catalogue import find_backbone
from tl_widgets.cli import main as cli
from tl_widgets.core.config import ScratchSpec
from tl_widgets.core.errors import InputError
from tl_widgets.data.catalogue import load_dataset
from tl_widgets.experiments.comparison import compare
from tl_widgets.models.builders import build_scratch, build_transfer
from tl_widgets.records.comparison import Comparison
from tl_widgets.records.folds import Folds
from tl_widgets.studies.inside.figure import inside_alt_text, plot_features, plot_filters, plot_grad_cam, plot_inside
from tl_widgets.studies.inside.grad_cam import grad_cam, heat_maps
from tl_widgets.studies.inside.measurement import first_filters, look_inside, nearest_labels, principal_components
from tl_widgets.studies.inside.result import LookInside, Numbers, enlarge
from tl_widgets.teaching import compare_neighbors
from tl_widgets.training.fine_tuning import fine_tune

pytestmark = pytest.mark.usefixtures("tiny_default")

SCRATCH = ScratchSpec(filters=(4, 6), kernel_sizes=(5, 3), dense_units=8)


def stack(*parts):
    return keras.Sequential(list(parts))


def set_weights(layer, *weights):
    layer.set_weights([np.array(weight, np.float32) for weight in weights])


@pytest.fixture
def bright_or_dark():
    """A network by hand: map 0 is the pixel, map 1 is 1 minus the pixel; class 0 likes bright, class 1 dark places."""
    model = stack(
        layers.Input((4, 4, 1)),
        layers.Conv2D(2, 1, activation="relu"),
        layers.GlobalAveragePooling2D(),
        layers.Dense(2, activation="softmax"),
    )
    set_weights(model.layers[0], [[[[1, -1]]]], [0, 1])
    set_weights(model.layers[2], [[2, 0], [-1, 1]], [0, 5])
    return model


def picture():
    """Dark, with a grey pixel and a bright patch of 2 x 2."""
    image = np.zeros((4, 4, 1), np.float32)
    image[2:, 2:] = 1
    image[0, 0] = 0.5
    return image


class TestByHand:
    def test_the_map_peaks_at_the_bright_patch_with_the_numbers_of_the_formula(self, bright_or_dark):
        # a = (2, -1) / 16, so that L = ReLU(2 x - (1 - x)) / 16 = ReLU(3 x - 1) / 16: 0, 0.5 and 2 of 16ths.
        expected = np.zeros((4, 4))
        expected[2:, 2:], expected[0, 0] = 1, 0.25
        np.testing.assert_allclose(grad_cam(bright_or_dark, picture(), class_index=0), expected, atol=1e-6)

    def test_the_other_class_has_a_map_of_its_own_and_is_the_answer(self, bright_or_dark):
        np.testing.assert_allclose(grad_cam(bright_or_dark, picture(), class_index=1), 1 - picture()[..., 0], atol=1e-6)
        np.testing.assert_array_equal(
            grad_cam(bright_or_dark, picture()), grad_cam(bright_or_dark, picture(), class_index=1)
        )

    def test_a_sigmoid_has_a_sign(self):
        model = stack(
            layers.Input((4, 4, 1)),
            layers.Conv2D(2, 1, activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(1, activation="sigmoid"),
        )
        set_weights(model.layers[0], [[[[1, -1]]]], [0, 1])
        set_weights(model.layers[2], [[3], [-1]], [-9])
        expected = np.zeros((4, 4))  # class 1: ReLU(3 x - (1 - x)) = ReLU(4 x - 1), at most 3
        expected[2:, 2:], expected[0, 0] = 1, 1 / 3
        np.testing.assert_allclose(grad_cam(model, picture(), class_index=1), expected, atol=1e-6)
        other = np.ones((4, 4))  # class 0: ReLU(1 - 4 x)
        other[2:, 2:], other[0, 0] = 0, 0
        np.testing.assert_allclose(grad_cam(model, picture(), class_index=0), other, atol=1e-6)
        np.testing.assert_array_equal(grad_cam(model, picture()), grad_cam(model, picture(), class_index=0))

    def test_a_saturated_answer_still_has_its_map(self, bright_or_dark):
        before = grad_cam(bright_or_dark, picture(), class_index=0)
        kernel, bias = bright_or_dark.layers[2].get_weights()
        set_weights(bright_or_dark.layers[2], kernel * 1000, bias)  # behind the softmax the gradient is 0 in float32
        np.testing.assert_allclose(grad_cam(bright_or_dark, picture(), class_index=0), before, atol=1e-6)

    @pytest.mark.parametrize(
        ("kernel", "conv", "reason"),
        [
            ([[-1, 0], [-1, 0]], [1, -1], "no place raises the score of this class"),
            ([[0, 0], [0, 0]], [1, -1], "does not depend on any place"),
            ([[1, 0], [1, 0]], [1, -1], "equally"),  # x + (1 - x): the same everywhere
        ],
    )
    def test_a_flat_map_is_said_to_be_flat(self, bright_or_dark, kernel, conv, reason):
        set_weights(bright_or_dark.layers[0], [[[conv]]], [0, 1])
        set_weights(bright_or_dark.layers[2], kernel, [0, 0])
        with pytest.warns(UserWarning, match=reason):
            found = grad_cam(bright_or_dark, picture(), class_index=0)
        assert not found.any()

    def test_a_dead_network_is_said_to_be_flat(self, bright_or_dark):
        set_weights(bright_or_dark.layers[0], [[[[0, 0]]]], [-1, -1])
        with pytest.warns(UserWarning, match="answer 0 to this image"):
            assert not grad_cam(bright_or_dark, picture()).any()

    def test_one_place_cannot_say_where(self):
        model = stack(layers.Input((4, 4, 1)), layers.Conv2D(2, 4), layers.Flatten(), layers.Dense(2))
        with pytest.warns(UserWarning, match="only one place"):
            grad_cam(model, picture())

    def test_an_open_size_is_the_images(self, bright_or_dark):
        inputs = keras.Input((None, None, 1))
        values = inputs
        for layer in bright_or_dark.layers:
            values = layer(values)
        wide = np.concatenate([picture(), picture()], axis=1)
        found = grad_cam(keras.Model(inputs, values), wide, class_index=0)
        assert found.shape == (4, 8)
        np.testing.assert_allclose(found[:, 4:], found[:, :4])


def plain_grad_cam(taped, weights_of_score, images, rows):
    """Grad-CAM as tutorials write it: a model of (maps, features before the last layer), a loop over channels."""
    found = []
    for image in images[rows]:
        with tf.GradientTape() as tape:
            maps, features = taped(image[None].astype(np.float32))
            tape.watch(maps)
            kernel, bias, label = weights_of_score
            score = (features @ kernel + bias)[0, label]
        gradient = tape.gradient(score, maps).numpy()[0]
        heat = np.zeros(gradient.shape[:2])
        for channel in range(gradient.shape[2]):
            heat += gradient[..., channel].mean() * maps.numpy()[0, ..., channel]
        heat = np.maximum(heat, 0)
        found.append(heat / heat.max())
    return found


@pytest.fixture(scope="module")
def textures():
    return load_dataset("textures", image_size=48, n_per_class=8)


class TestAgainstPlainKeras:
    def test_the_network_from_scratch(self, textures):
        model = build_scratch(textures.image_shape, 3, seed=3)
        conv = [layer for layer in model.layers if isinstance(layer, layers.Conv2D)][-1]
        taped = keras.Model(model.inputs[0], [conv.output, model.layers[-1].input])
        rows = [0, 40, 80]
        found = heat_maps(model, textures.test.images[rows], classes=[2, 2, 2])
        kernel, bias = model.layers[-1].get_weights()
        for ours, theirs in zip(
            found, plain_grad_cam(taped, (kernel, bias, 2), textures.test.images, rows), strict=True
        ):
            assert ours.layer == conv.name
            np.testing.assert_allclose(ours.values, theirs, atol=1e-4)

    @pytest.mark.parametrize(("backbone", "last"), [("EfficientNetLite0", "head_relu"), ("MobileNetV2", "out_relu")])
    @pytest.mark.usefixtures("real_default")
    def test_over_global_average_pooling_it_is_the_class_activation_map(self, textures, backbone, last):
        """B. Zhou et al. 2016: then the weight of each map is that of the last layer; no gradient is needed."""
        model = build_transfer(textures.image_shape, 3, backbone=backbone, weights=None, seed=1)
        images = textures.test.images[:2]
        maps = images.astype(np.float32)
        for layer in model.layers[:-2]:
            maps = layer(maps, training=False)
        weighted = np.maximum(np.asarray(maps) @ model.layers[-1].get_weights()[0], 0)
        n_flat = 0
        for label in range(3):
            for ours, heat in zip(heat_maps(model, images, classes=[label, label]), weighted[..., label], strict=True):
                n_flat += bool(ours.flat)
                np.testing.assert_allclose(ours.values, heat / (heat.max() or 1), atol=1e-4)
                assert bool(ours.flat) == (heat.max() == 0)
                assert ours.layer == last
        assert n_flat < 6

    @pytest.mark.parametrize("name", ["block_2_expand_relu", "block_5_add", "Conv1_relu"])
    def test_a_layer_inside_a_nested_functional_model_with_shortcuts(self, textures, name):
        keras.utils.set_random_seed(2)  # weights for which no map is flat
        base = keras.applications.MobileNetV2(include_top=False, weights=None, input_shape=(48, 48, 3))
        inputs = keras.Input((48, 48, 3))
        values = layers.GlobalAveragePooling2D()(base(layers.Rescaling(1 / 127.5, -1.0)(inputs), training=False))
        model = keras.Model(inputs, layers.Dense(3, activation="softmax")(layers.Dropout(0.5)(values)))
        images = textures.test.images[:1]
        taped = keras.Model(base.inputs[0], [base.get_layer(name).output, base.outputs[0]])
        scaled = images.astype(np.float32) / 127.5 - 1
        kernel, bias = model.layers[-1].get_weights()
        with tf.GradientTape() as tape:
            maps, last = taped(scaled, training=False)
            score = (tf.reduce_mean(last, (1, 2)) @ kernel + bias)[0, 1]
        gradient = tape.gradient(score, maps).numpy()[0]
        heat = np.maximum((maps.numpy()[0] * gradient.mean((0, 1))).sum(axis=2), 0)
        found = grad_cam(model, images[0], class_index=1, layer=name)
        np.testing.assert_allclose(found, enlarge(heat / (heat.max() or 1), 48, 48), atol=1e-3)

    def test_models_in_models_in_models(self, bright_or_dark):
        inner = stack(layers.Input((4, 4, 1)), *bright_or_dark.layers[:1])
        middle_input = keras.Input((4, 4, 1))
        middle = keras.Model(middle_input, inner(middle_input))
        outer = stack(layers.Input((4, 4, 1)), middle, *bright_or_dark.layers[1:])
        expected = grad_cam(bright_or_dark, picture(), class_index=0)
        np.testing.assert_allclose(grad_cam(outer, picture(), class_index=0), expected)

    def test_layers_that_act_in_training_only_do_not_act(self, bright_or_dark):
        conv, pool, dense = bright_or_dark.layers
        model = stack(layers.Input((4, 4, 1)), layers.RandomFlip(seed=1), layers.GaussianNoise(1.0), conv, pool, dense)
        np.testing.assert_array_equal(
            grad_cam(model, picture(), class_index=0), grad_cam(bright_or_dark, picture(), class_index=0)
        )

    @pytest.mark.parametrize("end", [layers.Softmax, lambda: layers.Activation("softmax")])
    def test_a_softmax_layer_of_its_own_is_left_out_as_well(self, bright_or_dark, end):
        conv, pool, dense = bright_or_dark.layers
        logits = layers.Dense(2)
        model = stack(layers.Input((4, 4, 1)), conv, pool, logits, end())
        logits.set_weights(dense.get_weights())
        np.testing.assert_allclose(
            grad_cam(model, picture(), class_index=0), grad_cam(bright_or_dark, picture(), class_index=0), atol=1e-6
        )


class TestRefusals:
    def test_a_model_without_convolution(self):
        model = stack(layers.Input((4, 4, 1)), layers.Flatten(), layers.Dense(2, activation="softmax"))
        with pytest.raises(InputError, match="no convolution"):
            grad_cam(model, picture())
        with pytest.raises(InputError, match="convolution"):
            first_filters(model)

    @pytest.mark.parametrize("shape", [(4, 4), (1, 4, 4, 1), (4, 4, 3), (5, 4, 1)])
    def test_a_wrong_image(self, bright_or_dark, shape):
        with pytest.raises(InputError, match=r"takes an image of shape \(4, 4, 1\)"):
            grad_cam(bright_or_dark, np.zeros(shape))

    def test_numbers_that_are_none(self, bright_or_dark):
        with pytest.raises(InputError, match="NaN"):
            grad_cam(bright_or_dark, picture() * np.nan)
        with pytest.raises(InputError, match="numbers"):
            grad_cam(bright_or_dark, picture().astype(str))
        set_weights(bright_or_dark.layers[0], [[[[np.nan, 1]]]], [0, 0])
        with pytest.raises(InputError, match="infinite numbers or NaN"):
            grad_cam(bright_or_dark, picture())

    @pytest.mark.parametrize("label", [-1, 2, 0.5, "grass", True])
    def test_a_class_that_is_none(self, bright_or_dark, label):
        with pytest.raises(InputError, match="class_index"):
            grad_cam(bright_or_dark, picture(), class_index=label)

    def test_a_layer_that_is_none(self, bright_or_dark):
        conv = bright_or_dark.layers[0].name
        for name in ("conv99", bright_or_dark.layers[-1].name):
            with pytest.raises(InputError, match=f"named '{name}'. Its last ones are {conv}"):
                grad_cam(bright_or_dark, picture(), layer=name)

    def test_no_model_and_no_classifier(self, bright_or_dark):
        with pytest.raises(InputError, match="received 'EfficientNetLite0'"):
            grad_cam("EfficientNetLite0", picture())
        with pytest.raises(InputError, match="its head included"):
            grad_cam(stack(layers.Input((4, 4, 1)), bright_or_dark.layers[0]), picture())
        with pytest.raises(InputError, match="built"):
            grad_cam(keras.Sequential([layers.Conv2D(2, 1)]), picture())


@pytest.mark.parametrize(("n_from", "n_to"), [(3, 96), (24, 96), (1, 7), (6, 6), (5, 48)])
def test_maps_are_enlarged_as_tensorflow_does(n_from, n_to):
    values = np.random.default_rng(0).random((n_from, 4)).astype(np.float32)
    expected = tf.image.resize(values[..., None], (n_to, 10)).numpy()[..., 0]
    np.testing.assert_allclose(enlarge(values, n_to, 10), expected, atol=1e-6)


class TestFilters:
    @pytest.mark.usefixtures("real_default")
    def test_they_are_the_first_convolutions(self):
        model = build_transfer((48, 48, 3), 2, weights=None)
        stem = model.get_layer("efficientnetlite0").layers[1]
        assert isinstance(stem, layers.Conv2D)
        found = first_filters(model)
        assert found.shape == (32, 3, 3, 3)
        np.testing.assert_array_equal(found[7, :, :, 1], stem.get_weights()[0][:, :, 1, 7])

    def test_of_other_kinds_of_convolution(self):
        for layer, shape in (
            (layers.DepthwiseConv2D(5, depth_multiplier=2), (6, 5, 5, 1)),
            (layers.SeparableConv2D(7, 5), (3, 5, 5, 1)),
            (layers.Conv2DTranspose(7, (5, 4)), (7, 5, 4, 3)),
        ):
            model = stack(layers.Input((9, 9, 3)), layer, layers.Conv2D(99, 1))
            found = first_filters(model)
            assert found.shape == shape
            kernel = layer.get_weights()[0]
            first = kernel[:, :, :, 0] if shape[0] == 7 and shape[3] == 1 else kernel
            assert found[0, 2, 1, 0] == (first[2, 1, 0, 0] if first.ndim == 4 else first[2, 1, 0])


class TestComponents:
    @pytest.mark.parametrize("shape", [(40, 5), (12, 300), (30, 2)])
    def test_they_are_the_eigenvectors_of_the_covariance(self, shape):
        vectors = np.random.default_rng(1).normal(3, 2, shape) * np.arange(1, shape[1] + 1)
        positions, explained = principal_components(vectors)
        variances, directions = np.linalg.eigh(np.cov(vectors.T))
        expected = (vectors - vectors.mean(axis=0)) @ directions[:, :-3:-1]
        signs = np.sign((positions * expected).sum(axis=0))
        np.testing.assert_allclose(positions, expected * signs, atol=1e-8 * shape[1] ** 2)
        np.testing.assert_allclose(explained, variances[:-3:-1] / variances.sum(), rtol=1e-8)

    def test_the_order_of_the_vectors_does_not_turn_the_picture(self):
        vectors = np.random.default_rng(2).normal(size=(20, 4))
        order = np.random.default_rng(3).permutation(20)
        np.testing.assert_allclose(
            principal_components(vectors[order])[0], principal_components(vectors)[0][order], atol=1e-12
        )

    def test_vectors_that_do_not_differ_or_have_one_number(self):
        positions, explained = principal_components(np.ones((5, 3)))
        assert explained == (0, 0)
        assert not positions.any()
        positions, explained = principal_components(np.arange(5.0)[:, None])
        assert explained == (1, 0)
        np.testing.assert_allclose(np.abs(positions[:, 0]), [2, 1, 0, 1, 2], atol=1e-12)
        assert not positions[:, 1].any()

    @pytest.mark.parametrize("vectors", [np.ones((1, 3)), np.ones(4), np.full((3, 2), np.nan)])
    def test_what_has_none_is_refused(self, vectors):
        with pytest.raises(InputError, match="Principal components"):
            principal_components(vectors)

    def test_nearest_neighbors_are_those_of_all_distances(self):
        random = np.random.default_rng(4)
        vectors, labels = random.normal(50, 1, (300, 8)).astype(np.float32), random.integers(0, 4, 300)
        distances = np.linalg.norm(vectors[:, None].astype(float) - vectors[None], axis=2)
        np.fill_diagonal(distances, np.inf)
        np.testing.assert_array_equal(nearest_labels(vectors, labels), labels[distances.argmin(axis=1)])


def state_of(comparison):
    """All weights and flags of all models."""
    return [
        (weight.path, weight.trainable, weight.numpy()) for run in comparison.runs for weight in run.model.weights
    ] + [
        (layer.name, layer.trainable, np.array(len(layer._inbound_nodes)))
        for run in comparison.runs
        for layer in run.model._flatten_layers()
    ]


@pytest.fixture(scope="module")
def compared(textures, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TL_WIDGETS_HOME", str(tmp_path_factory.mktemp("home")))
        return compare(textures, scratch=SCRATCH, epochs=3, batch_size=8, seed=5)


@pytest.fixture(scope="module")
def all_four(textures, tmp_path_factory):
    """A comparison with all arms, its state before, the look, its events, and its state after."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TL_WIDGETS_HOME", str(tmp_path_factory.mktemp("home")))
        first = compare(textures, scratch=SCRATCH, epochs=3, batch_size=8, seed=5, control=True)
        comparison = fine_tune(first, textures, epochs=2, learning_rate=1e-3)
        before, events = state_of(comparison), []
        look = look_inside(comparison, textures, n_images=4, on_event=events.append)
        return comparison, before, look, events, state_of(comparison)


class TestLook:
    def test_nothing_is_changed_by_looking(self, all_four):
        _, before, _, _, after = all_four
        assert len(before) == len(after)
        for (name, flag, values), (same_name, same_flag, same_values) in zip(before, after, strict=True):
            assert (name, flag) == (same_name, same_flag)
            np.testing.assert_array_equal(values, same_values)

    def test_every_model_has_its_maps_and_every_stage_its_layout(self, textures, all_four):
        comparison, _, look, _, _ = all_four
        assert not look.failures
        assert not look.stopped
        assert [model.name for model in look.maps] == ["scratch", "transfer", "control", "fine_tuned"]
        assert [(each.name, each.stage) for each in look.layouts] == [
            (name, stage) for name in ("scratch", "transfer", "fine_tuned") for stage in ("before", "after")
        ]
        assert len(look.filters) == 4
        for model in look.maps:
            run = getattr(comparison, model.name)
            for one, true, image in zip(model.maps, look.classes, look.images(), strict=True):
                assert true == textures.test.labels[one.row]
                np.testing.assert_array_equal(image, textures.test.images[one.row])
                assert one.answer == run.predictions[one.row]
                assert one.probability == max(run.probabilities[one.row])
                if not one.flat:
                    again = grad_cam(run.model, image, class_index=one.answer)
                    np.testing.assert_allclose(one.at(48, 48), again, atol=1e-3)

    def test_classes_take_turns_with_images_on_which_models_disagree_first(self, all_four):
        comparison, _, look, _, _ = all_four
        differ = [
            row
            for row, (a, b) in enumerate(
                zip(comparison.scratch.predictions, comparison.transfer.predictions, strict=True)
            )
            if a != b
        ]
        labels = comparison.scratch.labels
        n_classes = len(set(labels))
        assert len(set(look.shown)) == 4
        assert set(look.classes[:n_classes]) == set(labels)
        assert len({labels[row] for row in differ}) > 1
        for row in look.shown[:n_classes]:
            assert row in differ or labels[row] not in {labels[other] for other in differ}
        assert look.headline.startswith("Ask each trained model for the most similar image")

    def test_before_is_the_untrained_network_of_the_same_seed(self, textures, all_four):
        comparison, _, look, _, _ = all_four
        untrained = build_scratch(textures.image_shape, 3, filters=(4, 6), kernel_sizes=(5, 3), dense_units=8, seed=5)
        expected = first_filters(untrained)
        np.testing.assert_allclose(look.first_filters("scratch", "before").filters.array, expected, rtol=1e-4)
        after = look.first_filters("scratch", "after").filters.array
        np.testing.assert_allclose(after, first_filters(comparison.scratch.model), rtol=1e-4)
        moved = np.linalg.norm(after - expected) / np.linalg.norm(expected)
        assert moved > 0.01
        assert any(f"by {100 * moved:.1f}% of their length" in sentence for sentence in look.sentences)

    def test_the_backbone_before_is_the_control(self, textures, compared, all_four, home):
        comparison, _, look, _, _ = all_four
        expected = first_filters(comparison.control.model)
        np.testing.assert_allclose(look.first_filters("transfer", "before").filters.array, expected, rtol=1e-4)
        alone = look_inside(compared, textures, n_images=1)  # no control in it: built anew
        assert alone.layout("transfer", "before").nearest == look.layout("transfer", "before").nearest
        np.testing.assert_allclose(
            alone.layout("transfer", "before").positions.array,
            look.layout("transfer", "before").positions.array,
            atol=1e-3,
        )

    def test_layouts_are_of_what_the_last_layer_gets_to_see(self, textures, all_four):
        comparison, _, look, _, _ = all_four
        for name in ("scratch", "transfer", "fine_tuned"):
            model, layout = getattr(comparison, name).model, look.layout(name, "after")
            values = textures.test.images.astype(np.float32)
            for layer in model.layers[:-1]:
                values = layer(values, training=False)
            theirs = PCA(2, svd_solver="full").fit(np.asarray(values))
            np.testing.assert_allclose(layout.explained, theirs.explained_variance_ratio_, atol=1e-3)
            np.testing.assert_allclose(
                np.abs(layout.positions.array), np.abs(theirs.transform(np.asarray(values))), atol=2e-2
            )
            assert layout.n_features == values.shape[1]
        frozen = look.layout("fine_tuned", "before")
        assert replace(frozen, name="transfer", stage="after") == look.layout("transfer", "after")

    def test_sentences_say_what_was_measured(self, all_four):
        look = all_four[2]
        text = " ".join(look.sentences)
        for name in ("scratch", "transfer"):
            for stage in ("before", "after"):
                assert f"{100 * look.neighbor_accuracy(look.layout(name, stage)):.1f}%" in text
        assert look.neighbour_accuracy(look.layouts[0]) == look.neighbor_accuracy(look.layouts[0])  # its earlier name
        assert "not why" in text
        same = look.layout("transfer", "after")
        closed = replace(look, layouts=(replace(same, stage="before"), same))
        assert "too close to call" in closed.sentences[0]
        assert "leaves 0 out" not in closed.sentences[0]
        # Five images against none: Newcombe's interval leaves 0 out, the exact test (p = 0.0625) does not.
        labels = look.labels
        others = tuple(label if i > 4 else 1 - min(label, 1) for i, label in enumerate(labels))
        layouts = (replace(same, stage="before", nearest=others), replace(same, nearest=labels))
        doubtful = replace(look, layouts=layouts).sentences[0]
        n = len(labels)
        assert (
            compare_neighbors(replace(look, layouts=layouts))
            == f"backbone, random → pretrained weights: {n - 5} → {n} of {n} (5 gained, 0 lost), too close to call"
        )
        assert "that leaves 0 out, but the exact test (McNemar, p = 0.062) does not rule out chance)." in doubtful

    def test_the_same_again_and_without_a_warning(self, textures, all_four, home):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert look_inside(all_four[0], textures, n_images=4) == all_four[2]

    def test_events_count_the_parts(self, all_four):
        studied = [event for event in all_four[3] if event.phase == "study"]
        assert studied[0].n_done == 0
        assert studied[-1].n_done == studied[-1].n_total == 4 + 4 + 6
        assert all_four[3][-1].phase == "done"

    def test_stop_keeps_what_there_is(self, textures, compared):
        cancel = threading.Event()

        def on_event(event):
            if event.phase == "study" and event.n_done == 3:
                cancel.set()

        look = look_inside(compared, textures, n_images=2, on_event=on_event, cancel=cancel)
        assert look.stopped
        assert (len(look.maps), len(look.filters), len(look.layouts)) == (2, 1, 0)
        assert look.sentences[-1] == "Stopped before everything was measured."
        plot_inside(look)
        with pytest.raises(InputError, match="stopped before"):
            plot_features(look)

    def test_what_cannot_be_looked_into_is_refused(self, textures, compared):
        with pytest.raises(InputError, match="read from JSON"):
            look_inside(Comparison.from_json(compared.to_json()), textures)
        with pytest.raises(InputError, match="not the data set"):
            look_inside(compared, textures.take(4))
        with pytest.raises(InputError, match="trained on images of the data set's test split"):
            look_inside(replace(compared, folds=Folds(2, ())), textures)
        for n in (0, 13, 2.5):
            with pytest.raises(InputError, match="n_images"):
                look_inside(compared, textures, n_images=n)
        with pytest.raises(InputError, match="comparison must be a Comparison"):
            look_inside(compared.scratch, textures)
        with pytest.raises(InputError, match="was tested"):
            look_inside(replace(compared, scratch=None, transfer=None), textures)

    def test_one_broken_model_costs_its_own_parts_only(self, textures, compared):
        broken = keras.models.clone_model(compared.scratch.model)
        for layer in broken.layers:
            layer.set_weights([weight * np.nan for weight in layer.get_weights()])
        look = look_inside(replace(compared, scratch=replace(compared.scratch, model=broken)), textures, n_images=2)
        assert [model.name for model in look.maps] == ["transfer"]
        assert any("NaN" in failure.text for failure in look.failures)
        assert look.layout("transfer", "after")
        n = len(look.failures)
        assert any(s.startswith(f"{n} parts could" if n > 1 else "1 part could") for s in look.sentences)


class TestRecord:
    def test_it_comes_back(self, all_four):
        look = all_four[2]
        assert LookInside.from_json(look.to_json()) == look

    @pytest.mark.parametrize(
        "spoil",
        [
            lambda record: record["pixels"].__setitem__(0, "AAAA"),
            lambda record: record["maps"][0]["maps"].pop(),
            lambda record: record["maps"][0]["maps"][0].__setitem__("answer", 7),
            lambda record: record["maps"][0]["maps"][0]["places"].__setitem__("shape", [9, 9]),
            lambda record: record["layouts"][0]["nearest"].pop(),
            lambda record: record["labels"].pop(),
            lambda record: record["filters"][0]["filters"].__setitem__("shape", [300]),
            lambda record: record["filters"][0].__setitem__("name", 3),
            lambda record: record.__setitem__("study", "TimeStudy"),
        ],
    )
    def test_a_spoilt_one_is_refused(self, all_four, spoil):
        record = json.loads(all_four[2].to_json())
        spoil(record)
        with pytest.raises(InputError, match="not a record of a LookInside"):
            LookInside.from_json(json.dumps(record))


def texts_of(figure):
    return [text.get_text() for text in figure.findobj(lambda artist: hasattr(artist, "get_text"))]


class TestFigures:
    def test_heat_maps(self, all_four):
        look = all_four[2]
        figure = plot_grad_cam(look)
        assert len(figure.axes) == 4 * 5 + 1  # and the colors
        texts = texts_of(figure)
        for model in look.maps:
            for one, true in zip(model.maps, look.classes, strict=True):
                mark = "✓" if one.answer == true else "✗"
                assert f"{mark} {look.dataset.class_names[one.answer]} {100 * one.probability:.0f}%" in texts
        shown = figure.axes[1].images[0].get_array()
        one = look.maps[0].maps[0]
        bright, dark = (np.unravel_index(f(one.at(48, 48)), (48, 48)) for f in (np.argmax, np.argmin))
        assert shown[bright].sum() > shown[dark].sum()

    def test_a_flat_map_says_so(self, all_four):
        look = all_four[2]
        flat = replace(
            look.maps[0].maps[0], places=Numbers.of(np.zeros((3, 3))), flat="no place raises the score of this class"
        )
        changed = replace(look.maps[0], maps=(flat, *look.maps[0].maps[1:]))
        look = replace(look, maps=(changed,))
        figure = plot_grad_cam(look)
        assert texts_of(figure).count("flat") == 1
        assert figure.get_label() == inside_alt_text(look, "grad_cam")
        assert "1 of the 4 heat maps of the network from scratch is flat: no place" in " ".join(look.sentences)
        assert "1 of its maps are flat" in inside_alt_text(look, "grad_cam")

    def test_filters(self, all_four):
        look = all_four[2]
        figure = plot_filters(look)
        assert len(figure.axes) == 4
        assert figure.get_label() == inside_alt_text(look, "filters")
        assert figure.axes[1].get_xlabel() == "4 filters of 5 × 5 × 3"
        sheet = figure.axes[0].images[0].get_array()
        first = look.first_filters("scratch", "before").filters.array[0]
        np.testing.assert_allclose(sheet[:20:4, :20:4], 0.5 + first / (2 * np.abs(first).max()), atol=1e-6)

    def test_filters_of_other_channels_are_grey(self, all_four):
        look = all_four[2]
        each = replace(look.filters[0], filters=Numbers.of(np.random.default_rng(0).normal(size=(70, 3, 3, 5))))
        figure = plot_filters(replace(look, filters=(each,)))
        assert figure.axes[0].get_xlabel() == "64 of 70 filters of 3 × 3 × 5, mean over the channels"
        sheet = figure.axes[0].images[0].get_array()
        np.testing.assert_array_equal(sheet[..., 0], sheet[..., 2])

    def test_features(self, all_four):
        look = all_four[2]
        figure = plot_features(look)
        assert len(figure.axes) == 6
        assert figure.get_label() == inside_alt_text(look, "features")
        for ax, layout in zip(figure.axes, look.layouts, strict=True):
            share = look.neighbor_accuracy(layout)
            assert f"same class: {100 * share:.1f}%" in ax.get_title(loc="left") + ax.get_title()
            assert f"{100 * layout.explained[0]:.1f}% of the variance of {layout.n_features:,}" in ax.get_xlabel()
            assert sum(len(line.get_xdata()) for line in ax.lines) == len(look.labels)
            assert ax.get_aspect() == 1
        assert [text.get_text() for text in figure.legends[0].get_texts()] == list(look.dataset.class_names)

    def test_words(self, all_four):
        look = all_four[2]
        for kind in ("grad_cam", "filters", "features"):
            assert inside_alt_text(look, kind) in inside_alt_text(look, "inside")
        assert "backbone, pretrained" in inside_alt_text(look, "features")
        with pytest.raises(InputError, match="kind='cam'"):
            inside_alt_text(look, "cam")


def test_the_filters_of_a_backbone_that_takes_bgr_are_turned_into_rgb(textures, compared, home):
    """Such as VGG16: its first layer gets blue, green, red."""
    bgr = find_backbone("VGG16").family.preprocessing
    assert bgr.is_bgr
    small = textures.take(2)
    with registered(TinyFamily(preprocessing=bgr)) as family:
        comparison = compare(small, backbone=family.members[0].name, weights=None, scratch=SCRATCH, epochs=1)
        look = look_inside(comparison, small, n_images=1)
    found = look.first_filters("transfer", "after").filters.array
    np.testing.assert_allclose(found[..., ::-1], first_filters(comparison.transfer.model), rtol=1e-4)
    assert look.layout("transfer", "before") is None  # its weights are random after as well


@pytest.mark.usefixtures("real_default")
def test_the_command_writes_figure_and_record(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    arguments = ["--image-size", "32", "--images-per-class", "4", "--epochs", "1", "--images", "2"]
    assert cli.main(["study", "inside", "faces", *arguments]) == 0
    look = LookInside.from_json((tmp_path / "tl-widgets-inside-faces.json").read_text())
    assert len(look.shown) == 2
    assert base64.b64decode(look.pixels[0])
    assert (tmp_path / "tl-widgets-inside-faces.png").read_bytes().startswith(b"\x89PNG")
    assert look.sentences[0] in capsys.readouterr().out
    # 32 pixels leave the backbone one place: said to be flat
    assert all("only one place" in one.flat for one in look.maps[1].maps)
