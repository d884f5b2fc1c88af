"""Convolutions that do the work of BatchNormalization give what the layers give."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tl_widgets.training.folded import inference_of

layers = keras.layers
KINDS = {
    "plain": (lambda: layers.Conv2D(6, 3), lambda: layers.BatchNormalization()),
    "with strides, padding and a bias": (
        lambda: layers.Conv2D(6, 3, strides=2, padding="same", bias_initializer="random_normal"),
        lambda: layers.BatchNormalization(axis=3, epsilon=1e-2),
    ),
    "dilated": (lambda: layers.Conv2D(6, 3, dilation_rate=2), lambda: layers.BatchNormalization(scale=False)),
    "in groups": (lambda: layers.Conv2D(6, 3, groups=2), lambda: layers.BatchNormalization(center=False)),
    "depthwise": (
        lambda: layers.DepthwiseConv2D(3, depth_multiplier=2, bias_initializer="random_normal"),
        lambda: layers.BatchNormalization(),
    ),
    # What can't be folded:
    "with an activation before": (lambda: layers.Conv2D(6, 3, activation="relu"), lambda: layers.BatchNormalization()),
    "over another axis": (lambda: layers.Conv2D(6, 3), lambda: layers.BatchNormalization(axis=1)),
    "separable": (lambda: layers.SeparableConv2D(6, 3), lambda: layers.BatchNormalization()),
}


def shuffled(model):
    """Give all weights random values, as training would."""
    rng = np.random.default_rng(0)
    model.set_weights([rng.uniform(0.2, 2, weight.shape) for weight in model.get_weights()])
    return model


def both(model):
    """Return what the layers and the function give, and the number of BatchNormalizations that the function ran."""
    model.trainable = False
    images = np.random.default_rng(1).normal(size=(3, 12, 12, 4)).astype(np.float32)
    function = inference_of(model)
    graph = tf.function(function).get_concrete_function(tf.TensorSpec(images.shape)).graph
    normalized = sum(operation.type in ("FusedBatchNormV3", "Rsqrt") for operation in graph.get_operations())
    return model(images, training=False), function(images), normalized


def assert_same(one, other):
    for mine, its in zip(tf.nest.flatten(one), tf.nest.flatten(other), strict=True):
        np.testing.assert_allclose(mine, its, rtol=1e-4, atol=1e-5 * float(np.abs(mine).max()))


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_layer(kind):
    convolution, norm = (make() for make in KINDS[kind])
    inputs = keras.Input((12, 12, 4))
    expected, values, n_normalized = both(shuffled(keras.Model(inputs, layers.ReLU(6)(norm(convolution(inputs))))))
    assert_same(expected, values)
    assert bool(n_normalized) == (kind in ("with an activation before", "over another axis", "separable"))


def test_an_output_that_others_read_stays_as_it_is():
    inputs = keras.Input((12, 12, 4))
    convolved = layers.Conv2D(4, 3, padding="same")(inputs)
    together = layers.Add()([layers.BatchNormalization()(convolved), convolved])
    expected, values, n_normalized = both(shuffled(keras.Model(inputs, together)))
    assert_same(expected, values)
    assert n_normalized
    expected, values, n_normalized = both(
        shuffled(keras.Model(inputs, [convolved, layers.BatchNormalization()(convolved)]))
    )
    assert_same(expected, values)
    assert n_normalized


def test_layers_that_are_called_twice():
    convolution, norm = layers.Conv2D(4, 3, padding="same"), layers.BatchNormalization()
    inputs = keras.Input((12, 12, 4))
    expected, values, _ = both(shuffled(keras.Model(inputs, norm(convolution(norm(convolution(inputs)))))))
    assert_same(expected, values)


def test_nested_models_and_models_with_a_call_of_their_own():
    class Doubled(keras.Model):
        def call(self, inputs, training=None):
            return 2 * super().call(inputs, training=training)

    def block(kind):
        inputs = keras.Input((12, 12, 4))
        return kind(inputs, layers.BatchNormalization()(layers.Conv2D(4, 3, padding="same")(inputs)))

    inputs = keras.Input((12, 12, 4))
    nested = layers.Dropout(0.5)(block(keras.Model)(inputs, training=True), training=True)
    expected, values, n_normalized = both(shuffled(keras.Model(inputs, nested)))
    assert_same(expected, values)
    assert not n_normalized
    model = shuffled(keras.Model(inputs, block(Doubled)(inputs)))
    expected, values, _ = both(model)
    assert_same(expected, values)
    expected, values, _ = both(shuffled(keras.Sequential([keras.Input((12, 12, 4)), block(keras.Model)])))
    assert_same(expected, values)


@pytest.mark.filterwarnings("ignore:.*a mask attached")
def test_layers_that_are_called_in_other_ways_than_with_one_float32_tensor():
    class Switch(layers.Layer):
        def call(self, values, training=True):
            return 2 * values if training else values

    class Holder(layers.Layer):
        def __init__(self):
            super().__init__()
            self.switch = Switch()

        def call(self, values):
            return self.switch(values)

    def block(values):
        return layers.BatchNormalization()(layers.Conv2D(4, 3, padding="same")(values))

    inputs = keras.Input((12, 12, 4))
    nested = keras.Model(inputs, block(inputs))
    depthwise = layers.DepthwiseConv2D(3)(layers.Activation("relu", dtype="mixed_float16")(inputs))
    row = keras.Input((144, 4))
    average = keras.Model(row, layers.GlobalAveragePooling1D()(row))
    pixels = layers.Reshape((144, 4))(inputs)
    for outputs in (
        [block(inputs)],
        layers.ReLU()(keras.Model(inputs, [block(inputs)])(inputs)),
        layers.BatchNormalization()(inputs=layers.Conv2D(4, 3)(inputs=nested(inputs=inputs))),
        block(layers.Activation("relu", dtype="float64")(inputs)),
        layers.BatchNormalization()(depthwise),
        Holder()(block(inputs)),
        average(pixels, mask=keras.ops.any(pixels > 1, axis=-1)),
    ):
        expected, values, _ = both(shuffled(keras.Model(inputs, outputs)))
        keras.tree.assert_same_structure(expected, values)
        assert_same(expected, values)
