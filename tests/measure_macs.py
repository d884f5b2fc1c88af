"""Fill the column `macs_224` of the table of backbones: `python tests/measure_macs.py`; takes a few minutes.

It builds every backbone for images of 224 pixels and counts the multiply-accumulates of its layers for one image.
"""

import csv
import io
from math import prod
from pathlib import Path

import tl_widgets

TABLE = Path(tl_widgets.__file__).parent / "backbones" / "facts" / "keras_applications.csv"
COLUMN, SIZE = "macs_224", 224


def count_macs(model):
    """Return the multiply-accumulates of a built model's convolutions and dense layers for one image."""
    total = 0
    for layer in model.layers:
        if hasattr(layer, "layers"):
            total += count_macs(layer)
            continue
        places = prod(layer.output.shape[1:-1]) if not isinstance(layer.output, list) else 0  # 1 for a Dense layer
        for weight in layer.weights:
            # A kernel meets the image once at each place of the output: (height, width, channels, filters) for Conv2D
            # and a grouped one, (height, width, channels, multiplier) for DepthwiseConv2D, (inputs, units) for Dense.
            if weight.name.endswith("kernel") and len(weight.shape) in (2, 4):
                total += places * prod(weight.shape)
    return total


def measured(name, size=SIZE):
    """Return the multiply-accumulates of a backbone for one image of `size` pixels."""
    import keras

    from tl_widgets.backbones.catalogue import find_backbone

    keras.backend.clear_session()
    backbone = find_backbone(name)
    with keras.StatelessScope(initialize_variables=False):  # layers without values
        return count_macs(backbone.family.build(backbone, (size, size, 3)))


def main():
    rows = list(csv.DictReader(TABLE.read_text("utf-8").splitlines()))
    for row in rows:
        row[COLUMN] = measured(row["name"])
        print(row["name"], f"{row[COLUMN] / 1e9:.2f} billion", flush=True)
    text = io.StringIO()
    table = csv.DictWriter(text, rows[0], lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    TABLE.write_text(text.getvalue(), "utf-8")


if __name__ == "__main__":
    main()
