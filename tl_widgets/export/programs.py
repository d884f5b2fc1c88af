"""What stands beside an exported model: a short program that asks it, and a page for a browser."""

from __future__ import annotations

import zipfile
from importlib import resources
from pathlib import Path

from tl_widgets.core.text import escaped, printable, shell_word
from tl_widgets.core.translation import in_script, language
from tl_widgets.export.pages import translated

LABELS = "labels.txt"
PROGRAM = "classify.py"
PAGE = "index.html"
_PROGRAM = '''\
"""Ask the exported model about a picture: python classify.py PICTURE (pip install {packages})"""
import sys
from pathlib import Path
import numpy as np
{imports}
from PIL import Image, ImageOps

if len(sys.argv) != 2:
    sys.exit(__doc__)
folder = Path(__file__).parent
picture = ImageOps.exif_transpose(Image.open(sys.argv[1])).convert("RGBA")
method = Image.Resampling.LANCZOS if min(picture.size) > {side} else Image.Resampling.BICUBIC
picture = ImageOps.fit(picture, ({side}, {side}), method)
picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("RGB")
images = np.asarray(picture)[np.newaxis]  # uint8, 0 to 255
{ask}
for label, probability in zip((folder / "labels.txt").read_text("utf-8").splitlines(), probabilities):
    print(f"{{label}}: {{probability:.1%}}")
'''
_TFLITE = (
    "ai-edge-litert numpy pillow",
    "from ai_edge_litert.interpreter import Interpreter",
    'model = Interpreter(str(folder / "model.tflite")).get_signature_runner()\n'
    'probabilities = model(images=images)["probabilities"][0]',
)
_PARTS = {
    "tflite": _TFLITE,
    "web": _TFLITE,
    "onnx": (
        "onnxruntime numpy pillow",
        "import onnxruntime",
        'model = onnxruntime.InferenceSession(folder / "model.onnx")\n'
        'probabilities = model.run(["probabilities"], {"images": images})[0][0]',
    ),
    "saved_model": (
        "tensorflow numpy pillow",
        "import tensorflow as tf",
        'model = tf.saved_model.load(str(folder / "saved_model"))\n'
        'answer = model.signatures["serving_default"](images=tf.constant(images))\n'
        'probabilities = answer["probabilities"][0].numpy()',
    ),
}


def program(kind: str, side: int) -> str:
    """Return a program without tl_widgets that prints each class's probability for a picture."""
    packages, imports, ask = _PARTS[kind]
    return _PROGRAM.format(packages=packages, imports=imports, ask=ask, side=side)


def serve_command(folder: Path) -> str:
    """Return the command line that serves an exported page."""
    return f"python -m http.server --directory {shell_word(printable(str(folder)))}"


def pack_command(folder: Path) -> str:
    """Return the command line that packs an export into an archive beside it."""
    name = printable(str(folder))
    return f"python -m zipfile -c {shell_word(f'{name}.zip')} {shell_word(name)}"


def labels_text(class_names: tuple[str, ...]) -> str:
    """Return the class names, one on each line, in the order of the probabilities."""
    return "".join(f"{escaped(name)}\n" for name in class_names)


def page(title: str, class_names: tuple[str, ...], side: int, *, intro: str, proof: str) -> str:
    """Return the page that runs `model.tflite` with the files of `write_browser_runtime`."""
    from jinja2 import Environment, PackageLoader, StrictUndefined  # 60 ms that only a page needs
    from markupsafe import Markup

    def part(name: str) -> str:
        return resources.files("tl_widgets.export").joinpath("web", name).read_text("utf-8")

    pages = Environment(loader=PackageLoader("tl_widgets.export", "web"), autoescape=True, undefined=StrictUndefined)
    pages.globals |= {"_": translated, "language": language()}
    return pages.get_template("index.html.jinja").render(
        title=title, labels=class_names, side=side, intro=intro, proof=proof, css=Markup(part("page.css")),  # noqa: S704
        script=Markup(in_script(part("page.js"))),  # noqa: S704
    )  # fmt: skip


def write_browser_runtime(folder: Path) -> None:
    """Write LiteRT.js, which runs TFLite models in a browser, into a new folder."""
    source = resources.files("tl_widgets.export").joinpath("web", "litert.zip")
    with source.open("rb") as file, zipfile.ZipFile(file) as archive:
        archive.extractall(folder)
