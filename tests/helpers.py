"""What several test files share: made-up pictures and data sets, and how to look at an app without a browser."""

import io
import struct
import sys
import time
import zipfile
import zlib
from pathlib import Path

import numpy as np
from ipywidgets import HTML
from PIL import Image

import tl_widgets
from tl_widgets import Config, ImageDataset, ScratchSpec, Split
from tl_widgets.widgets import LabSettings
from tl_widgets.widgets.shared.picture import Picture

# The folder that holds the package: on the PYTHONPATH of processes that tests start.
PACKAGE_PARENT = Path(tl_widgets.__file__).resolve().parent.parent
# What a Lab trains in a moment.
SMALL = LabSettings(
    image_size=32,
    n_per_class=4,
    config=Config(epochs=3, scratch=ScratchSpec(filters=(4, 4), kernel_sizes=(3, 3), dense_units=8)),
)


def own_dataset(name="<i>mine</i>", class_names=("<b>cats</b>", "dogs & co"), source="", *, n=6):
    """Images of noise in two classes, the first dark and the second bright; the names would like to be HTML.

    Args:
        n: training images per class.
    """
    random = np.random.default_rng(0)

    def split(n_per_class):
        labels = np.repeat(np.arange(2), n_per_class)
        images = random.integers(0, 80, (2 * n_per_class, 32, 32, 3)) + 150 * labels[:, None, None, None]
        return Split(images.astype(np.uint8), labels.astype(np.int64))

    return ImageDataset(name, split(n), split(4), split(8), class_names, source)


def answers_of(model, images):
    """A model's answers in plain Keras, without the graph that `predict` would trace."""
    return np.asarray(model(np.asarray(images, np.float32), training=False))


def all_parts(widget):
    """The widget and everything in it."""
    yield widget
    for child in getattr(widget, "children", ()):
        yield from all_parts(child)


def page(widget):
    """All HTML that an app shows, as one text."""
    parts = [part for part in all_parts(widget) if isinstance(part, HTML | Picture)]
    return "\n".join(part.value if isinstance(part, HTML) else part.markup for part in parts)


def wait_until(condition, seconds=60):
    """Wait for something that happens in another thread."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.03)  # conditions read whole pages


class Clock:
    """Made-up time, in place of a module's `time`: it moves only when a test moves it."""

    def __init__(self):
        self.now = 1000.0

    def perf_counter(self):
        return self.now

    monotonic = perf_counter

    def steps_of(self, seconds):
        """What stands in for `Stoppable`: each call of the function takes so many seconds."""

        def stand_in(function, _cancel):
            def step(*arguments):
                self.now += seconds
                return function(*arguments)

            return step

        return stand_in


def count_calls(function):
    """How many calls of Python a function makes: its work, as every machine counts it, whatever else runs."""
    n_calls = 0

    def count(_frame, event, _argument):
        nonlocal n_calls
        n_calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        function()
    finally:
        sys.setprofile(before)
    return n_calls


def picture(seed, size=(40, 40)):
    """A picture of its own for every seed, coarse enough to survive JPEG."""
    rng = np.random.default_rng(seed)
    return Image.fromarray(rng.integers(0, 256, (4, 4, 3), np.uint8)).resize(size, Image.Resampling.NEAREST)


def fill(folder, n, start=0, suffix=".png"):
    """Write n pictures into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(start, start + n):
        picture(i).save(folder / f"{i}{suffix}")


def write_walks(root):
    """Write two classes of walks, with two pictures of each place that look almost the same."""
    for number, name in enumerate(("cat", "dog")):
        (root / name).mkdir(parents=True, exist_ok=True)
        for walk in range(12):
            place = picture(100 * number + walk, (6, 6)).resize((64, 64), Image.Resampling.BICUBIC)
            for shot, quality in enumerate((95, 40)):
                place.save(root / name / f"{name}{walk:02}_{shot}.jpg", quality=quality)


def write_people(root):
    """Write 24 pictures and a table in which two columns name files and two may be the classes."""
    fill(root, 24)
    rows = ["file,next,mood,sex"]
    for i in range(24):
        rows.append(f"{i}.png,{(i + 1) % 24}.png,{('glad', 'sad')[i % 2]},{('f', 'm')[i // 2 % 2]}")
    (root / "people.csv").write_text("\n".join(rows))


def zipped(folder, target, prefix=""):
    """Write a zip of all that is in a folder."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, prefix + file.relative_to(folder).as_posix())
    return target


def png(seed=0, size=40):
    """The bytes of a PNG of noise."""
    rng = np.random.default_rng(seed)
    data = io.BytesIO()
    Image.fromarray(rng.integers(0, 256, (size, size, 3), np.uint8)).save(data, "PNG")
    return data.getvalue()


def huge_png(width, height):
    """A PNG of one color that says it is width x height and is small on disk."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress(bytes(1 + width // 8) * min(height, 5000), 9)
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def files_in(folder):
    """The files in a folder and below, as sorted relative paths."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def run_notebook(name, **changes):
    """Run a notebook of the tutorial in this process, from top to bottom; a cell that fails raises its error.

    Args:
        name: the file's name without ".ipynb".
        changes: what a curious learner gives to variables, whose lines are `name = ...`: functions of no argument.

    Returns:
        (variables, text that was printed).
    """
    import re

    import nbformat
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output

    path = Path(__file__).resolve().parents[1] / "notebooks" / f"{name}.ipynb"
    shell, texts, changed = InteractiveShell(user_ns={"_changes": changes}), [], set()
    for cell in nbformat.read(path, 4).cells:
        if cell.cell_type != "code":
            continue
        source = cell.source
        for variable in changes:
            source, n = re.subn(rf"(?m)^{re.escape(variable)} = .*$", f"{variable} = _changes['{variable}']()", source)
            changed |= {variable} if n else set()
        with capture_output() as captured:
            result = shell.run_cell(source)
        assert result.success, f"{source}\n{result.error_before_exec or result.error_in_exec!r}"
        texts.append(captured.stdout)
    assert changed == set(changes)
    return shell.user_ns, "".join(texts)


def type_in(slider, text):
    """What the page sends when a number is typed; returns Python's answer."""
    answers = []
    slider.send = answers.append
    slider._on_message(slider, {"text": text}, [])
    (answer,) = answers
    return answer["problem"]
