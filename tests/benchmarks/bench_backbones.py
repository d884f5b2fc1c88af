"""Measure the bundled backbones on five data sets: accuracy, milliseconds per image, memory. Prints a Markdown table.

    python tests/benchmarks/bench_backbones.py [--data stamps faces] [--backbones SqueezeNet] [--seed 0]

The data sets are stamps, faces, digits, textures, and the flowers in the folder TL_WIDGETS_TEST_ASSETS, each at its
usual size, flowers at 96 pixels. Only the frozen backbone's head is trained, with one seed. Each measurement has a
process of its own, so that memory is that of one backbone: TensorFlow, images and all. Milliseconds are the shortest of
three timings, because other programs only lengthen them.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
DATA = ("stamps", "faces", "digits", "textures", "flowers")
BACKBONES = ("EfficientNetLite0", "EfficientNetLite1", "EfficientNetLite2", "SqueezeNet")
SIZE = 96  # of the flowers
HEADER = (
    "| Images (test images, size) | Backbone | Test accuracy (95% interval) | ms per image | Memory |\n"
    "|---|---|---|---|---|"
)


def measure(data, backbone, seed):
    """Return the cells of one row."""
    import tl_widgets as tl
    from tl_widgets.core.numbers import interval_text, milliseconds_text, percent, size_text
    from tl_widgets.data.catalogue import find_dataset

    if data == "flowers":
        folder = Path(os.environ["TL_WIDGETS_TEST_ASSETS"]) / "data" / "flowers"
        dataset = tl.load_folder(folder, image_size=SIZE, seed=seed)
    else:
        dataset = tl.load_dataset(data, image_size=find_dataset(data).default_size, seed=seed)
    study = tl.backbone_study(dataset, backbones=[backbone], seeds=[seed], control=False)
    (point,) = study.points
    accuracy = f"{percent(point.test_accuracy)} ({interval_text(point.test_accuracy_ci95)})"
    timings = [tl.backbone_cost(backbone, image_size=dataset.image_size).ms_per_image for _ in range(2)]
    milliseconds = milliseconds_text(min(point.cost.ms_per_image, *timings)).removesuffix(" ms")
    memory = "not known" if point.cost.memory_peak is None else size_text(point.cost.memory_peak)
    images = f"{data} ({len(dataset.test)}, {dataset.image_size} px)"
    return images, backbone, accuracy, milliseconds, memory


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", nargs="+", choices=DATA, default=DATA)
    parser.add_argument("--backbones", nargs="+", default=BACKBONES)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)  # in this process, as JSON
    args = parser.parse_args()
    if args.one:
        print(json.dumps(measure(args.data[0], args.backbones[0], args.seed)))
        return
    with tempfile.TemporaryDirectory() as home:  # no features from before
        print(HEADER, flush=True)
        for data in args.data:
            for backbone in args.backbones:
                command = [sys.executable, __file__, "--one", f"--seed={args.seed}", "--data", data]
                done = subprocess.run(
                    [*command, "--backbones", backbone],
                    env={**os.environ, "TL_WIDGETS_HOME": home},
                    stdout=subprocess.PIPE,
                    text=True,
                    check=True,
                )
                cells = json.loads(done.stdout.splitlines()[-1])
                print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
