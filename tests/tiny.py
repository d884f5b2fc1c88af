"""A backbone family of three layers, declared in one object: it stands in for a real backbone where that one is slow.

`registered()` puts it into the catalogue for a while; the fixture `tiny_backbone` of conftest.py does the same for a
test. `standing_in()` puts it there under the name of the default backbone, for tests of what is around a backbone.
It has everything that a family has: "ImageNet" weights (fixed filters, from a seed), preprocessing, two blocks that
fine-tuning can tell apart, and a file for the plain Keras script.
"""

import contextlib
import hashlib
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tl_widgets.backbones import catalogue
from tl_widgets.backbones.catalogue import register_family, unregister_family
from tl_widgets.backbones.cuts import Cut
from tl_widgets.backbones.family import PREPROCESSING, Backbone, Family
from tl_widgets.core.resources import home_folder

# (name, kernel size, stride, filters): 432 + 16 + 1,152 + 8 + 512 + 64 values.
_LAYERS = (("block1_conv", 3, 4, 16), ("block2_conv", 3, 2, 24), ("block3_conv", 1, 1, 64))


def _arrays(layers=_LAYERS):
    """The weights, in the order of the layers: always the same."""
    rng = np.random.default_rng(0)
    channels = 3
    for _, kernel, _, filters in layers:
        scale = np.sqrt(2 / (channels * kernel**2))
        yield (scale * rng.standard_normal((kernel, kernel, channels, filters))).astype(np.float32)
        yield np.zeros(filters, np.float32)
        channels = filters


@dataclass(frozen=True, eq=False, kw_only=True)
class TinyFamily(Family):
    """Three convolutions, 2.7 milliseconds to build and next to nothing to run."""

    members: tuple = (
        Backbone(
            "TinyNet",
            size_mb=0.02,
            top1_pct=12.5,
            n_params=sum(array.size for array in _arrays()),
            depth=3,
            default_input=32,
            min_input=16,
            feature_width=64,
        ),
    )
    preprocessing: object = PREPROCESSING["tf"]
    module: str = "tests.tiny"
    function: str = "TinyFamily"
    is_bundled: bool = True
    layers: tuple = _LAYERS

    def build(self, backbone, image_shape):
        import keras

        x = inputs = keras.Input(image_shape)
        for name, kernel, stride, filters in self.layers:
            x = keras.layers.Conv2D(filters, kernel, stride, "same", activation="relu", name=name)(x)
        return keras.Model(inputs, x, name=backbone.name.lower())

    def find_weights(self, backbone, on_event, cancel):
        path = Path(home_folder()) / "weights" / f"{self.members[0].name.lower()}.bin"
        data = b"".join(array.tobytes() for array in _arrays(self.layers))
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        assert hashlib.sha256(path.read_bytes()).digest() == hashlib.sha256(data).digest()
        return path

    def has_weights(self, backbone):
        return True

    def cuts(self, backbone):
        cuts, channels, n_params, stride, macs = [], 3, 0, 1, 0
        for name, kernel, layer_stride, filters in self.layers[:-1]:
            stride *= layer_stride
            n_params += kernel**2 * channels * filters + filters
            macs += kernel**2 * channels * filters * (224 // stride) ** 2
            cuts.append(Cut(name.split("_")[0], name, n_params, filters, macs, stride))
            channels = filters
        return tuple(cuts)

    def load_weights(self, model, backbone, path):
        model.set_weights(list(_arrays(self.layers)))


def mini_family():
    """A second family, without the last layer: smaller than the tiny one and with other figures."""
    (tiny,) = TinyFamily().members
    n_params = sum(array.size for array in _arrays(_LAYERS[:2]))
    member = replace(tiny, name="MiniNet", top1_pct=8.25, n_params=n_params, depth=2, feature_width=_LAYERS[1][3])
    return TinyFamily(members=(member,), layers=_LAYERS[:2])


@contextlib.contextmanager
def registered(family=None):
    """Put the family into the catalogue, and take it out again."""
    family = family or TinyFamily()
    register_family(family)
    try:
        yield family
    finally:
        unregister_family(family)


_REAL = tuple(family for family in catalogue._families if family.is_bundled)


@contextlib.contextmanager
def standing_in(*, real=False):
    """Replace the bundled backbones by the tiny one, under the default's name and with its published figures.

    Args:
        real: inside such a block, use the real ones again.
    """
    published, (tiny,) = _REAL[0].members[0], TinyFamily().members
    member = replace(published, n_params=tiny.n_params, feature_width=tiny.feature_width)
    before = catalogue._families[:]
    others = [family for family in before[1:] if family not in _REAL]
    catalogue._families[:] = [*(_REAL if real else (TinyFamily(members=(member,)),)), *others]
    try:
        yield published.name
    finally:
        catalogue._families[:] = before


def main(arguments=None):
    """Run `tl-widgets` with the tiny backbone standing in: `python -m tiny compare ...`."""
    from tl_widgets.cli.main import main

    with standing_in():
        return main(arguments)


if __name__ == "__main__":
    sys.exit(main())
