"""Import TensorFlow once, without its startup messages, and send events; import Keras with any backend."""

from __future__ import annotations

import importlib
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import cache
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Any

from tl_widgets.core.errors import CancelledError, InputError
from tl_widgets.core.events import Cancel, Event, OnEvent, ignore, raise_if_cancelled
from tl_widgets.core.resources import release_libraries, require_memory, share_heaps
from tl_widgets.core.translation import _

_PACKAGES = ("tensorflow", "keras")
# Parts of Keras that import scikit-learn, scipy.stats and pyplot: a third of the import's time, and 65 MB.
_LATER = frozenset(
    f"{package}.{part}"
    for package in ("keras", "keras.src", "keras._tf_keras.keras")
    for part in ("visualization", "wrappers")
)
_POLL = 0.1  # seconds
_RELEASE_EVERY = 1.0  # seconds
_BYTES = 350_000_000  # that the import needs, files that the system can drop left out: 0.28 GB with TensorFlow 2.21
_lock = threading.Lock()


@contextmanager
def silence() -> Iterator[None]:
    """Hide what C++ code writes to file descriptor 2, unless the block raises an error that has no sentence.

    TensorFlow writes its first messages ("Could not find cuda drivers", "failed call to cuInit") before its own log
    settings apply, and they worry beginners who have done nothing wrong.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        screen = os.dup(2)
    except OSError:  # a process without a stderr has nothing to hide
        yield
        return
    with tempfile.TemporaryFile() as hidden:
        try:
            os.dup2(hidden.fileno(), 2)
            yield
        except (CancelledError, InputError):
            raise
        except Exception:
            hidden.seek(0)
            os.write(screen, hidden.read())
            raise
        finally:
            os.dup2(screen, 2)
            os.close(screen)


class _LaterLoader(Loader):
    """Loads a module when one of its names is first used."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def exec_module(self, module: ModuleType) -> None:
        lock, is_tried = threading.RLock(), False

        def load() -> None:
            nonlocal is_tried
            with lock:  # another thread may be loading it; the module itself may ask for its parts meanwhile
                if is_tried:
                    return
                is_tried = True
                try:
                    self._loader.exec_module(module)
                except BaseException:  # Ctrl-C, for example; the next use tries again
                    is_tried = False
                    raise

        def get(name: str) -> Any:
            if not name.startswith("__") or name == "__all__":  # `inspect` asks every module for others
                load()
            if name not in vars(module):
                raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")
            return vars(module)[name]

        def names() -> list[str]:
            load()
            return list(vars(module))

        module.__getattr__, module.__dir__ = get, names  # type: ignore[method-assign]


class _LaterFinder(MetaPathFinder):
    def find_spec(self, fullname: str, path: Sequence[str] | None, *_target: ModuleType | None) -> ModuleSpec | None:
        spec = PathFinder.find_spec(fullname, path) if fullname in _LATER else None
        if spec is not None and spec.loader is not None:
            spec.loader = _LaterLoader(spec.loader)
        return spec


@contextmanager
def _load_later() -> Iterator[None]:
    """Put off importing the rarely used parts of Keras until they are used."""
    finder = _LaterFinder()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


def _import_packages() -> None:
    """Import TensorFlow and Keras; an import of either in another thread, such as a cell's, comes before or after.

    Keras imports TensorFlow's parts in another order than TensorFlow does, and Python breaks off both imports then.
    """
    lock = getattr(importlib._bootstrap, "_ModuleLockManager", nullcontext)
    with lock("keras"):  # a cell's `import keras` needs TensorFlow, so it ends first
        pass
    with _load_later(), lock("tensorflow"), lock("keras"):
        for name in _PACKAGES:
            importlib.import_module(name)


class _Import(threading.Thread):
    """The import, in a thread of its own.

    Ctrl-C and the kernel's stop button interrupt only the main thread. They end the wait for this thread, but can't cut
    an import in half, which Python couldn't repair: the next call waits for the same import.
    """

    def __init__(self) -> None:
        super().__init__(daemon=True, name="tl_widgets-import")
        self.may_write = threading.Event()  # once its messages are hidden
        self.done = threading.Event()
        self.error: BaseException | None = None

    def run(self) -> None:
        self.may_write.wait(1.0)  # not for ever: the caller may have been interrupted
        share_heaps()
        _share_gpu()
        # TensorFlow's own pool for oneDNN gives nothing back: 0.35 GB after a few runs. Numbers and speed don't change.
        os.environ.setdefault("TF_ONEDNN_USE_SYSTEM_ALLOCATOR", "1")
        if "avx2" in cpu_flags():
            # Without AVX-512, TensorFlow leaves oneDNN off. It saves a third there (tests/benchmarks/bench_onednn.py).
            os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
        cut = next((name for name in _PACKAGES if name not in sys.modules and _has_parts(name)), None)
        try:
            _import_packages()
            import tensorflow as tf

            # Every run has its own tf.function, and TensorFlow warns about that after the fifth.
            tf.get_logger().addFilter(lambda record: "triggered tf.function retracing" not in record.getMessage())
            tf.config.list_physical_devices()  # looks for GPUs now, because it warns if there are none
            _release_once()
        except BaseException as error:
            self.error = error
            if cut is not None:
                self.error = InputError(
                    _(
                        "An earlier `import {cut}` was interrupted, and Python can't repair that. "
                        "Restart the kernel (or Python), and run your cells again.",
                        cut=cut,
                    )
                )
                self.error.__cause__ = error
        finally:
            self.done.set()


def cpu_flags() -> frozenset[str]:
    """Return what an x86 processor can do, by Linux's names; nothing on other systems."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return frozenset()
    return frozenset(next((line for line in lines if line.startswith("flags")), "").split())


def _has_parts(package: str) -> bool:
    return any(name.startswith(f"{package}.") for name in list(sys.modules))


@cache
def _release_once() -> None:
    """Release what TensorFlow's import has read, ours or an earlier one."""
    release_libraries()


def require_memory_for_tensorflow() -> None:
    """Raise `InputError` if TensorFlow isn't loaded yet and there is too little memory for it."""
    if _PACKAGES[0] not in sys.modules:
        advice = _("Close other programs and notebooks, or raise the limit of the container or of `ulimit -v`")
        require_memory(_BYTES, _("Loading TensorFlow"), advice)


_running: _Import | None = None


def import_tensorflow(on_event: OnEvent = ignore, cancel: Cancel | None = None) -> None:
    """Import TensorFlow and Keras, with "load" events if they aren't imported yet.

    Raises:
        CancelledError: `cancel` was set; the import goes on for the next call.
        InputError: Keras has another backend, there is too little memory, or the user interrupted an import of their
            own, and the kernel must be restarted.
    """
    global _running
    if (backend := keras_backend()) != _PACKAGES[0]:
        raise InputError(
            _(
                "Training and measuring need Keras with TensorFlow, and here Keras uses {backend}. Restart Python (in "
                "a notebook, the kernel) with KERAS_BACKEND=tensorflow. Saved models and check_setup work with any "
                "backend.",
                backend=backend,
            )
        )
    # A module is in sys.modules from the start of its import; only the end of ours shows that it is finished.
    with _lock:
        if _running is not None and _running.done.is_set():
            _running = None
        is_first = _running is None
        if _running is None:
            if all(name in sys.modules for name in _PACKAGES):
                _share_gpu()  # it may not have been used yet
                # Worker processes import it themselves, and have to round like this one.
                if (onednn := uses_onednn()) is not None:
                    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", str(int(onednn)))
                _release_once()
                return
            require_memory_for_tensorflow()
            _running = _Import()
            _running.start()
        running = _running
    started = time.perf_counter()
    on_event(Event("load", _("loading TensorFlow")))
    with silence() if is_first else nullcontext():
        running.may_write.set()
        released = started
        while not running.done.wait(_POLL):  # a wait without limit can't be interrupted on Windows
            raise_if_cancelled(cancel)
            if is_first and time.perf_counter() - released > _RELEASE_EVERY:  # the peak of many kernels is this import
                release_libraries()
                released = time.perf_counter()
    if running.error is not None:
        raise running.error
    on_event(Event("load", _("TensorFlow is loaded"), n_done=1, n_total=1, seconds=time.perf_counter() - started))


def import_keras() -> None:
    """Import Keras for work that trains nothing, with the user's backend: TensorFlow only where that is the backend.

    Raises:
        InputError: The backend isn't installed, or see `import_tensorflow`.
    """
    backend = keras_backend()
    if backend == _PACKAGES[0]:
        import_tensorflow()
        return
    try:
        importlib.import_module("keras")
    except (ImportError, ValueError) as error:
        raise InputError(
            _(
                "Keras is set to the backend {backend}, and can't be imported with it ({error}). Install that backend, "
                "or restart Python with KERAS_BACKEND=tensorflow.",
                backend=backend,
                error=str(error),
            )
        ) from error


def keras_backend() -> str:
    """Return the name of Keras's backend: the one it has, or would get if it were imported now."""
    if chosen := getattr(sys.modules.get("keras.config"), "backend", None):
        return str(chosen())
    if chosen := os.environ.get("KERAS_BACKEND"):
        return chosen
    try:
        folder = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras")
        return str(json.loads((folder / "keras.json").read_text())["backend"])
    except (OSError, RuntimeError, ValueError, LookupError, TypeError):
        return _PACKAGES[0]


def _share_gpu() -> None:
    """Let TensorFlow take a GPU's memory as it needs it, and worker processes, which inherit this, beside it.

    Without it, the first process takes the whole card. The variable counts until a process first uses the GPU.
    """
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")


def uses_onednn() -> bool | None:
    """Return whether TensorFlow computes with oneDNN; None if it doesn't tell. Imports TensorFlow."""
    try:
        from tensorflow.python.util import _pywrap_util_port  # no public function tells

        return bool(_pywrap_util_port.IsMklEnabled())
    except (ImportError, AttributeError):
        return None
