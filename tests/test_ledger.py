"""Parameter counts: hand arithmetic, then the formula against Keras over the range of the controls."""

import itertools

import pytest

from tl_widgets.core.config import ScratchSpec
from tl_widgets.core.errors import InputError
from tl_widgets.records.parameters import count_rows, scratch_ledger, transfer_ledger


def test_the_articles_network_by_hand():
    rows = scratch_ledger((128, 128, 3), 2, ScratchSpec(dense_units=6))
    counts = {row.arithmetic: row.n_params for row in rows if row.n_params}
    assert counts == {
        "5x5x3x32+32": 5 * 5 * 3 * 32 + 32,
        "3x3x32x64+64": 3 * 3 * 32 * 64 + 64,
        "3x3x64x128+128": 3 * 3 * 64 * 128 + 128,
        "32768x6+6": 16 * 16 * 128 * 6 + 6,
        "6x1+1": 7,
    }
    assert count_rows(rows).total == 291_405


def test_the_articles_transfer_model_by_hand():
    rows = transfer_ledger((128, 128, 3), 5, backbone="Xception", feature_width=2048, backbone_params=20_861_480)
    count = count_rows(rows)
    assert (count.trainable, count.frozen) == (2048 * 5 + 5, 20_861_480)
    assert count.trainable == 10_245


def test_pooling_until_nothing_is_left_is_refused():
    spec = ScratchSpec((8,) * 6, (3,) * 6)
    with pytest.raises(InputError, match="at least 64 pixels"):
        scratch_ledger((32, 32, 3), 2, spec)
    scratch_ledger((64, 64, 3), 2, spec)


@pytest.mark.parametrize(
    "changes",
    [
        {"filters": ()},
        {"filters": (0, 2, 3)},
        {"filters": (8,) * 7, "kernel_sizes": (3,) * 7},
        {"kernel_sizes": (3,)},
        {"pooling": "sum"},
        {"head": "mean"},
        {"dense_units": -1},
        {"dropout": 1.0},
    ],
)
def test_impossible_networks_are_refused(changes):
    with pytest.raises(InputError, match="received"):
        ScratchSpec(**changes)


def specs():
    blocks = [((32,), (5,)), ((16, 24), (3, 1)), ((32, 64, 128), (5, 3, 3)), ((4, 8, 8, 16), (7, 3, 3, 2))]
    for (filters, kernels), pooling, head, dense, dropout in itertools.product(
        blocks, ("max", "average", "none"), ("flatten", "global_average"), (0, 6, 64), (0.0, 0.5)
    ):
        yield ScratchSpec(filters, kernels, pooling, head, dense, dropout)


def test_formula_agrees_with_keras_over_the_range_of_the_controls():
    import keras

    from tl_widgets.models.builders import build_scratch, count_parameters

    for i, spec in enumerate(specs()):
        shape, n_classes = ((33, 33, 3), (48, 40, 1))[i % 2], (2, 3, 10)[i % 3]
        with keras.StatelessScope(initialize_variables=False):  # layers without values
            model = build_scratch(shape, n_classes, **vars(spec))
        rows = scratch_ledger(shape, n_classes, spec)
        assert [row.layer for row in rows] == [type(layer).__name__ for layer in model.layers]
        assert [row.n_params for row in rows] == [layer.count_params() for layer in model.layers]
        assert [row.output_shape for row in rows] == [tuple(layer.output.shape[1:]) for layer in model.layers]
        assert count_rows(rows) == count_parameters(model)
