"""How long 20,000 images take to load, and how much memory. Not a test: run it by hand.

    python tests/benchmarks/many_images.py [N_IMAGES] [FOLDER]

Makes N_IMAGES JPEG files of 256 x 256 pixels, loads them in fresh processes and prints, for each, the seconds
and the peak memory (VmHWM) above what Python and the imports take.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LOAD = """
import sys, time
from pathlib import Path
import numpy as np, PIL.Image
from tl_widgets.data.folder import load_folder

def peak():  # in MB
    rows = Path("/proc/self/status").read_text().splitlines()
    return next(int(row.split()[1]) for row in rows if row.startswith("VmHWM")) / 1000

before, start, n_events = peak(), time.monotonic(), [0]
def count(event):
    n_events[0] += 1
dataset = load_folder(sys.argv[1], on_event=count)
seconds, loaded = time.monotonic() - start, peak()
images, rng, start = dataset.train.images, np.random.default_rng(0), time.monotonic()
total = 0
for epoch in range(2):
    order = rng.permutation(len(images))
    for i in range(0, len(order), 32):
        total += int(images[order[i : i + 32]].max())
    for part in (dataset.train, dataset.validation, dataset.test):
        for i in range(0, len(part), 256):
            total += int(part.images[i : i + 256].max())
print(f"{type(images).__name__} {images.shape}: load {seconds:.1f} s, {n_events[0]} events, peak "
      f"{loaded - before:.0f} MB above {before:.0f} MB; two shuffled epochs "
      f"and two passes over all splits {time.monotonic() - start:.1f} s, peak {peak() - before:.0f} MB")
"""


def make(folder: Path, n_images: int) -> None:
    import numpy as np
    from PIL import Image

    rng = np.random.default_rng(0)
    for i in range(n_images):
        place = folder / f"class{i % 10}"
        place.mkdir(parents=True, exist_ok=True)
        coarse = rng.integers(0, 256, (16, 16, 3), np.uint8)
        Image.fromarray(coarse).resize((256, 256), Image.Resampling.BICUBIC).save(place / f"{i}.jpg", quality=85)


def main() -> None:
    n_images = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(scratch) / "images"
        if not folder.exists():
            start = time.monotonic()
            make(folder, n_images)
            print(f"made {n_images:,} files in {time.monotonic() - start:.0f} s")
        os.environ["TL_WIDGETS_HOME"] = str(Path(scratch) / "home")
        for what in ("first load", "second load", "after touching every file"):
            if what.startswith("after"):
                for file in folder.rglob("*.jpg"):
                    file.touch()
            print(f"{what}: ", end="", flush=True)
            subprocess.run([sys.executable, "-c", LOAD, str(folder)], check=True)


if __name__ == "__main__":
    main()
