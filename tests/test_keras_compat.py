"""What tl_widgets assumes about Keras's private parts, one contract for each function of keras_compat."""

import ast
import random
import re
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import tl_widgets
from tl_widgets.backbones import keras_compat as compat

layers = keras.layers


def small_model():
    """A functional model with a nested one: input, nested (Conv2D, ReLU), pooling."""
    inner_input = keras.Input((8, 8, 3))
    inner = keras.Model(inner_input, layers.ReLU(name="relu")(layers.Conv2D(2, 3, name="conv")(inner_input)), name="in")
    inputs = keras.Input((8, 8, 3))
    return keras.Model(inputs, layers.GlobalAveragePooling2D(name="pool")(inner(inputs)))


class Own(keras.Model):
    """A model without a graph."""

    def __init__(self):
        super().__init__()
        self.inner = keras.Sequential([layers.Input((4,)), layers.Dense(2, name="deep")])
        self.top = layers.Dense(1, name="top")

    def call(self, values, training=False):
        return self.top(self.inner(values, training=training))


def test_all_layers_finds_layers_at_any_depth_and_begins_with_the_model():
    model = small_model()
    found = compat.all_layers(model)
    assert found[0] is model
    assert {"conv", "relu", "pool", "in"} <= {layer.name for layer in found}


def test_direct_layers_stops_at_the_attributes():
    model = Own()
    assert {layer.name for layer in compat.direct_layers(model)} == {model.inner.name, "top"}


def test_the_metrics_are_those_that_were_given_to_compile():
    model = small_model()
    assert compat.metrics_of(model) is None
    metrics = ["accuracy", keras.metrics.AUC()]
    model.compile("adam", "mse", metrics=metrics)
    assert compat.metrics_of(model) == metrics


def test_only_a_model_with_a_graph_has_one():
    assert compat.graph_of(small_model()) is not None
    assert compat.graph_of(keras.Sequential([layers.Input((4,)), layers.Dense(1)])) is not None
    assert compat.graph_of(Own()) is None
    assert compat.nodes_of(None) == []


def test_nodes_come_from_input_to_output_with_their_layers_and_tensors():
    model = small_model()
    nodes = compat.nodes_of(compat.graph_of(model))
    assert [node.operation.name for node in nodes[1:]] == ["in", "pool"]
    assert nodes[1].arguments.keras_tensors[0] is model.inputs[0]


def test_a_symbolic_tensor_knows_its_layer():
    model = small_model()
    assert compat.producer_of(model.outputs[0]).name == "pool"
    assert compat.producer_of(np.zeros(3)) is None


def test_a_graph_runs_with_other_operations():
    model, seen = small_model(), []

    def wrap(operation):
        def run(*args, **kwargs):
            seen.append(operation.name)
            return operation(*args, **kwargs)

        return run

    images = np.random.default_rng(0).random((2, 8, 8, 3), np.float32)
    got = keras.tree.flatten(compat.run_graph(model, tf.constant(images), wrap))[0]
    np.testing.assert_allclose(np.asarray(got), np.asarray(model(images)), rtol=1e-6)
    assert seen == ["in", "pool"]
    assert compat.is_functional(model)
    assert not compat.is_functional(Own())
    assert not compat.is_functional(layers.ReLU())


def test_a_graph_gives_what_calling_the_model_gives():
    class Subclass(keras.Model):
        pass

    class Doubled(keras.Model):
        def call(self, inputs, training=None):
            return 2 * super().call(inputs, training=training)

    inputs = keras.Input((4,), dtype="uint8", name="a")
    halves = inputs // 2
    assert not compat.is_functional(Doubled(inputs, halves))
    for model in (Subclass(inputs, halves), keras.Model([inputs], [halves]), keras.Model({"a": inputs}, {"b": halves})):
        assert compat.is_functional(model)
        numbers = tf.constant([[0.0, 1, 2, 3]])
        values = {"a": numbers} if isinstance(model.input, dict) else numbers
        expected, got = model(values), compat.run_graph(model, values, lambda operation: operation)
        keras.tree.assert_same_structure(expected, got)
        for mine, its in zip(keras.tree.flatten(expected), keras.tree.flatten(got), strict=True):
            np.testing.assert_array_equal(mine, its)


def test_layers_with_an_argument_training():
    assert compat.takes_training(layers.Dropout(0.5))
    assert compat.takes_training(layers.BatchNormalization())
    assert not compat.takes_training(layers.ReLU())


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (layers.Dropout(0.5), True),
        (layers.Dropout(0.0), False),
        (layers.SpatialDropout2D(0.1), True),
        (layers.GaussianNoise(0.1), True),
        (layers.RandomFlip(), True),
        (layers.RandomRotation(0.1), True),
        (layers.Dense(3), False),
        (layers.BatchNormalization(), False),
    ],
    ids=lambda value: getattr(value, "name", str(value)),
)
def test_layers_that_answer_by_chance(layer, expected):
    assert compat.is_random(layer) is expected


def test_stochastic_depth_is_random_by_its_rate():
    from keras.src.applications.convnext import StochasticDepth

    assert [compat.is_random(StochasticDepth(rate)) for rate in (0.0, 0.2)] == [False, True]


def test_a_schedule_is_kept_beside_its_present_value():
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)
    assert compat.learning_rate_schedule(keras.optimizers.Adam(schedule)) is schedule
    assert compat.learning_rate_schedule(keras.optimizers.Adam(0.1)) is None
    assert float(keras.optimizers.Adam(schedule).learning_rate) == pytest.approx(0.1)


def test_an_optimizer_keeps_the_variables_that_it_moves():
    model = keras.Sequential([layers.Input((2,)), layers.Dense(3), layers.Dense(1)])
    optimizer = keras.optimizers.Adam()
    optimizer.build(model.trainable_variables)
    assert {id(one) for one in compat.variables_of(optimizer)} == {id(one) for one in model.trainable_variables}


@pytest.mark.parametrize("loss", ["BinaryCrossentropy", "CategoricalCrossentropy", "SparseCategoricalCrossentropy"])
def test_a_loss_remembers_from_logits(loss):
    kind = getattr(keras.losses, loss)
    assert [compat.takes_logits(kind(from_logits=value)) for value in (True, False)] == [True, False]
    assert not compat.takes_logits("mse")
    assert [compat.takes_logits(keras.metrics.AUC(from_logits=value)) for value in (True, False)] == [True, False]


def test_the_variance_of_a_normalization_can_be_scaled():
    layer = layers.Normalization(mean=[0.0], variance=[4.0])
    adapted = layers.Normalization()
    adapted.build((None, 1))
    adapted.adapt_mean.assign([0.0])
    adapted.adapt_variance.assign([1.0])
    adapted.finalize_state()
    compat.scale_variance(adapted, 4.0)
    pixels = np.array([[2.0]], np.float32)
    np.testing.assert_allclose(np.asarray(adapted(pixels)), np.asarray(layer(pixels)), rtol=1e-5)


def test_a_call_is_replaced_for_a_while_and_leaves_no_trace():
    layer = layers.ReLU()
    before = set(vars(layer))
    with compat.call_replaced(layer, lambda values, **_: values - 1):
        assert float(layer(np.zeros(1, np.float32))[0]) == -1
    assert float(layer(np.zeros(1, np.float32))[0]) == 0
    assert set(vars(layer)) == before | {"built", "_called", "_build_shapes_dict"} & set(vars(layer))


def test_building_draws_from_pythons_generator_and_preserved_random_state_restores_it():
    state = random.getstate()
    layers.Dense(2).build((None, 3))
    assert random.getstate() != state, "Keras seeds its initializers differently now: preserved_random_state() can go"
    state = random.getstate()
    with compat.preserved_random_state():
        layers.Dense(2).build((None, 3))
    assert random.getstate() == state


def test_a_nested_dropout_runs_in_training_unless_frozen():
    inner = keras.Sequential([layers.Input((50,)), layers.Dropout(0.5)])
    inputs = keras.Input((50,))
    outer = keras.Model(inputs, inner(inputs, training=False))
    values = np.ones((1, 50), np.float32)

    def is_random():
        return not np.array_equal(np.asarray(outer(values, training=True)), values)

    assert is_random(), "Keras respects training=False now: freeze() need not touch the rates"
    compat.freeze(inner)
    assert not is_random()


def test_a_scope_without_state_gives_variables_shapes_and_no_values():
    """tests/test_backbones.py builds every model of Keras in one, without its gigabytes of weights."""
    with keras.StatelessScope():
        layer = layers.Dense(4)
        layer.build((None, 3))
    assert [tuple(weight.shape) for weight in layer.weights] == [(3, 4), (4,)]
    assert layer.count_params() == 16


def steps_of(optimizer, n_steps=4):
    variable, unused = keras.Variable([1.0, -2.0]), keras.Variable([5.0])
    for step in range(n_steps):
        optimizer.apply([tf.constant([0.5, -0.1]) * (step + 1), None], [variable, unused])
    return np.asarray(variable), np.asarray(unused), int(optimizer.iterations)


@pytest.mark.filterwarnings("ignore:Gradients do not exist")
def test_adam_moves_as_kerass_own():
    got, untouched, n_steps = steps_of(compat.Adam(0.1))
    wanted, _, _ = steps_of(keras.optimizers.Adam(0.1))
    np.testing.assert_allclose(got, wanted, rtol=1e-6)
    assert (untouched.tolist(), n_steps) == ([5.0], 4)


def test_adam_leaves_nothing_in_tensorflows_registry():
    from tensorflow.python.framework import ops

    def n_registered_after(optimizer):
        variable = keras.Variable([1.0])
        optimizer.build([variable])

        @tf.function
        def step():
            optimizer.apply([tf.constant([0.1])], [variable])

        before = len(ops.gradient_registry.list())
        step()
        return len(ops.gradient_registry.list()) - before

    assert n_registered_after(compat.Adam(0.1)) == 0
    assert n_registered_after(keras.optimizers.Adam(0.1)) > 0, "Keras mended it: compat.Adam can go"


def private_uses(path):
    """Attributes with a leading underscore of anything but the module's own objects, and imports of keras.src."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Attribute) and re.match("_(?!_|repr_)", node.attr):  # _repr_html_ is IPython's
            if not (isinstance(node.value, ast.Name) and node.value.id in ("self", "cls", "super")):
                yield f"{path.name}:{node.lineno} .{node.attr}"
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("getattr", "hasattr", "setattr"):
            name = node.args[1]
            if isinstance(name, ast.Constant) and re.match("_[^_]", str(name.value)):
                yield f"{path.name}:{node.lineno} {name.value}"
        elif isinstance(node, ast.ImportFrom) and str(node.module).startswith(("keras.src", "tensorflow.python")):
            yield f"{path.name}:{node.lineno} {node.module}"


def test_no_other_module_uses_private_parts_of_keras():
    package = Path(tl_widgets.__file__).parent
    folders = ("backbones", "models", "training", "experiments", "setup_checks", "export", "teaching")
    paths = [path for folder in (*folders, "studies") for path in (package / folder).rglob("*.py")]
    assert len(paths) > 30
    found = [use for path in paths if path.name != "keras_compat.py" for use in private_uses(path)]
    assert not found, found
