"""Measure exports of the transfer model: `python tests/benchmarks/bench_export.py [DATA ...]`."""

import sys
import tempfile
from pathlib import Path

from tl_widgets import compare, export_model, load_dataset
from tl_widgets.export.exporting import EXPORT_KINDS

NAMES = sys.argv[1:] or ["stamps", "textures"]

for name in NAMES:
    dataset = load_dataset(name)
    result = compare(dataset)
    print(f"{name}: {len(dataset.test)} test images of {dataset.image_size} pixels")
    print("| Format | Numbers | Seconds to export | MB | ms per image | Same answer | Largest difference |")
    print("|---|---|---|---|---|---|---|")
    for kind, about in EXPORT_KINDS.items():
        for int8 in (False, True) if about.has_int8 and kind != "web" else (False,):
            with tempfile.TemporaryDirectory() as folder:
                report = export_model(result, kind, Path(folder) / "out", dataset=dataset, int8=int8, anyway=True)
            print(
                f"| {kind} | {'int8' if int8 else 'float32'} | {report.seconds:.1f} | {report.megabytes_after:.1f} | "
                f"{report.milliseconds_after:.1f} | {report.n_equal} of {report.n_images} | "
                f"{report.largest_difference:.1g} |"
            )
    print(f"In TensorFlow: {report.megabytes_before:.1f} MB, {report.milliseconds_before:.1f} ms per image")
