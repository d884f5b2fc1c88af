"""Write the table of where backbones can be cut: `python tests/measure_cuts.py`; takes some minutes.

It builds every backbone of the catalogue for images of 224 pixels, twice, because a layer without a name of its own has
another name in the second model.
"""

import csv
import io
from pathlib import Path

from measure_macs import SIZE, count_macs

import tl_widgets
from tl_widgets.backbones.cuts import Cut, block_names, find_cut
from tl_widgets.core.errors import InputError

TABLE = Path(tl_widgets.__file__).parent / "backbones" / "facts" / "cuts.csv"


def measured(backbone):
    """Return the cuts of a backbone in the catalogue, as its table should have them."""
    import keras

    family = backbone.family
    model, again = (family.build(backbone, (SIZE, SIZE, 3)) for _ in range(2))
    names, cuts, last = block_names(model, family.blocks), [], 0
    for block in range(1, len(names)):
        try:
            _, position = find_cut(model, len(names) - block, family.blocks)
        except InputError:
            continue  # what can't be cut belongs to the next block
        if position == last:
            continue
        last, layer = position, model.layers[position]
        part = keras.Model(model.input, layer.output)
        name = layer.name if layer.name == again.layers[position].name else str(position)
        side = layer.output.shape[1]
        stride = 0 if SIZE % side else SIZE // side
        cuts.append(Cut(names[block - 1], name, part.count_params(), layer.output.shape[-1], count_macs(part), stride))
    return tuple(cuts)


def main():
    import keras

    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(("name", "block", "layer", "n_params", "feature_width", "macs_224", "stride"))
    for backbone in tl_widgets.list_backbones():
        keras.backend.clear_session()
        cuts = measured(backbone)
        print(backbone.name, len(cuts), flush=True)
        for cut in cuts:
            table.writerow((backbone.name, cut.block, cut.layer, cut.n_params, cut.feature_width, cut.macs_224,
                            cut.stride))  # fmt: skip
    TABLE.write_text(text.getvalue(), "utf-8")


if __name__ == "__main__":
    main()
