"""A local server of small archives laid out like the real data sets, with faults on request."""

import contextlib
import dataclasses
import gzip
import hashlib
import http.server
import io
import tarfile
import threading
import zipfile

import numpy as np
import pytest
from PIL import Image

from tl_widgets.data import catalogue
from tl_widgets.data.datasets.downloads import FLOWERS_CLASSES
from tl_widgets.data.datasets.stamps import STAMPS_FILES
from tl_widgets.data.hosted import HostedFile

STAMPS_ROOT = "tuxpaint-stamps-2022.06.04/stamps/"


def cifar_member(seed, n_per_class=10):
    """Records as in data_batch_1.bin: label, red plane, green plane, blue plane."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.repeat(np.arange(10, dtype=np.uint8), n_per_class))
    return labels, rng.integers(0, 256, (len(labels), 3, 32, 32), np.uint8)


def packed(labels, planes):
    return np.concatenate([labels[:, None], planes.reshape(len(labels), -1)], axis=1).tobytes()


def tar_of(members):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as archive:
        for name, content in members:
            info = name if isinstance(name, tarfile.TarInfo) else tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return data.getvalue()


def jpeg(seed):
    data = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
    Image.fromarray(pixels).resize((80, 60)).save(data, "JPEG")
    return data.getvalue()


def cifar():
    members = [("cifar-10-batches-bin/batches.meta.txt", b"airplane\n")]
    members += [(f"cifar-10-batches-bin/data_batch_{i}.bin", packed(*cifar_member(i, 1))) for i in range(1, 6)]
    return [tar_of([*members, ("cifar-10-batches-bin/test_batch.bin", packed(*cifar_member(9, 2)))])]


def idx(array):
    lengths = np.array(array.shape, ">u4").tobytes()
    return gzip.compress(bytes([0, 0, 8, array.ndim]) + lengths + array.astype(np.uint8).tobytes())


def fashion():
    rng = np.random.default_rng(0)
    parts = []
    for n in (5, 2):
        parts += [idx(rng.integers(0, 256, (10 * n, 28, 28))), idx(np.tile(np.arange(10), n))]
    return parts


def flowers():
    names = [f"flower_photos/{name}/{i}_a.jpg" for name in FLOWERS_CLASSES for i in range(6)]
    return [tar_of([("flower_photos/LICENSE.txt", b"..."), *((name, jpeg(i)) for i, name in enumerate(names))])]


def pets(more=()):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for i, (split, name) in enumerate((s, c) for s in ("train", "validation") for c in ("cats", "dogs")):
            for j in range(6):
                archive.writestr(f"cats_and_dogs_filtered/{split}/{name}/{name[:3]}.{j}.jpg", jpeg(100 * i + j))
        archive.writestr("cats_and_dogs_filtered/vectorize.py", "print('never run')")
        for name, content in more:
            archive.writestr(name, content)
    return [data.getvalue()]


def stamp(seed, mode="RGBA"):
    data = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (6, 9, 4), np.uint8)
    Image.fromarray(pixels).convert(mode).save(data, "PNG")
    return data.getvalue()


def stamps(left_out=(), more=()):
    members = [(f"{STAMPS_ROOT}{file}", stamp(i)) for i, file in enumerate(STAMPS_FILES) if file not in left_out]
    return [tar_of([(f"{STAMPS_ROOT}animals/birds/cartoon/tux.png", b"never read"), *members, *more])]


CONTENT = {"stamps": stamps, "cifar10": cifar, "fashion_mnist": fashion, "flowers": flowers, "cats_and_dogs": pets}


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.requests.append(self.path)
        content, fault = self.server.content.get(self.path), self.server.fault
        if fault == "404" or content is None:
            self.send_error(404)
            return
        self.send_response(200)
        if fault != "no length":
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if fault == "drip":
            for byte in content:
                with contextlib.suppress(ConnectionError):  # whoever pressed Stop has hung up
                    self.wfile.write(bytes([byte]))
                if self.server.release.wait(0.05):
                    return
        self.wfile.write(content[: len(content) // 2] if fault in ("cut", "no length") else content)

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.requests, server.content, server.fault = [], {}, ""
    server.release, server.daemon_threads = threading.Event(), True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.release.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def serve(server, monkeypatch):
    """A function that serves other content under a data set's name, and returns its record."""

    def make(name, content=None, *, port=None, **changes):
        content = CONTENT[name]() if content is None else content
        record = catalogue.find_dataset(name)
        files = []
        for i, data in enumerate(content):
            server.content[f"/{i}-{name}"] = data
            facts = {"url": f"http://127.0.0.1:{port or server.server_port}/{i}-{name}", "n_bytes": len(data)}
            files.append(HostedFile(**(facts | {"sha256": hashlib.sha256(data).hexdigest()} | changes)))
        record = dataclasses.replace(record, files=tuple(files))
        monkeypatch.setitem(catalogue._registry, name, record)
        return record

    return make
