"""Download files completely or not at all, and compute their digests."""

from __future__ import annotations

import functools
import glob
import hashlib
import os
import shutil
import socket
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any, BinaryIO

from tl_widgets.core.events import Cancel, Event, OnEvent, raise_if_cancelled, seconds_left
from tl_widgets.core.numbers import size_text
from tl_widgets.core.resources import require_disk
from tl_widgets.core.text import printable, shown
from tl_widgets.core.translation import _

CONNECT_SECONDS = 6.0  # for name look-up, connection and first response together
_SOCKET_SECONDS = 4.0  # for a single wait on the network
_CHUNK = 1 << 18
ABANDONED_AFTER = 3_600  # seconds without a write, after which a half-written file's process was killed
_MOST_BYTES = 4_000_000_000  # of a file whose length isn't known
_MOST_TEXT = 300  # letters of a server's text in a message
# A server that sends a few bytes now and then never times out, so a download below this speed is stopped.
_SPEED_CHECK_SECONDS = 20.0
_MIN_BYTES_PER_SECOND = 2_000


def download(
    url: str,
    target: Path,
    *,
    published_hash: str | None,
    subject: str,
    on_event: OnEvent,
    cancel: Cancel | None,
    n_bytes: int | None = None,
    most_bytes: int = _MOST_BYTES,
) -> Path:
    """Download a file, check its length and hash, and return `target`.

    `published_hash` is MD5 (32 hexadecimal digits) or SHA-256 (64); with None, only the length is checked. `subject` is
    what the file belongs to, such as "Xception". `on_event` receives "download" events, in bytes. A file of unknown
    length may have up to `most_bytes`.

    Raises:
        OSError: there is no network or no such file, the download is incomplete or has the wrong content, or `target`
            can't be written.
        http.client.HTTPException: the server does not speak HTTP.
        InputError: the disk is too small.
        CancelledError: `cancel` was set; nothing is kept.
    """
    with _open_url(url, cancel) as response:
        n_total = _announced_length(response)
        if n_bytes and n_total and n_total != n_bytes:
            raise OSError(
                _("{url} offers {n:,} bytes, but the published file has {m:,}", url=url, n=n_total, m=n_bytes)
            )
        n_total = n_total or n_bytes or 0
        require_disk(target.parent, n_total, _("Downloading {subject}", subject=subject))
        with atomic_file(target) as file:
            digest = _new_hash(algorithm_of(published_hash or ""))
            most = n_total or most_bytes
            _copy(response, file, digest, _("downloading {subject}", subject=subject), n_total, most, on_event, cancel)
            if published_hash is not None and digest.hexdigest() != published_hash:
                raise OSError(_("the file from {url} is not the published one: its hash differs", url=url))
    return target


def _announced_length(response: HTTPResponse) -> int:
    """Return the file's length in bytes; 0 if the server doesn't send it."""
    text = response.headers.get("Content-Length") or "0"
    if not text.isdecimal() or len(text) > 15:
        raise OSError(f"the server's answer can't be understood (Content-Length: {shown(text, 40)})")
    return int(text)


def failure_reason(error: BaseException) -> str:
    """Return why a download failed, as a clause; what the server wrote can't do anything to a terminal."""
    if isinstance(error, urllib.error.HTTPError):
        return _(
            "the server answered {code} {reason}", code=error.code, reason=printable(str(error.reason))[:_MOST_TEXT]
        )
    if isinstance(error, urllib.error.URLError):
        error = error.reason if isinstance(error.reason, BaseException) else error
    if isinstance(error, socket.gaierror):
        return _("there is no network, or no server with that name")
    return printable(str(error))[:_MOST_TEXT] or type(error).__name__


def file_digest(path: Path, algorithm: str) -> str:
    """Return a file's hexadecimal digest; unchanged files are read only once."""
    status = path.stat()
    return _digest(path, status.st_size, status.st_mtime_ns, algorithm)


@functools.lru_cache(maxsize=64)
def _digest(path: Path, size: int, modified_ns: int, algorithm: str) -> str:
    del size, modified_ns  # parts of the cache's key: a changed file is hashed again
    with path.open("rb") as file:
        return hashlib.file_digest(file, functools.partial(_new_hash, algorithm)).hexdigest()


def _new_hash(algorithm: str) -> hashlib._Hash:
    # Keras publishes MD5 for most files. It only detects accidents here, so FIPS machines may allow it, too.
    return hashlib.new(algorithm, usedforsecurity=False)


def algorithm_of(digest: str) -> str:
    """Return the algorithm that makes digests of this length: "md5" or "sha256"."""
    return "md5" if len(digest) == 32 else "sha256"


@contextmanager
def atomic_file(target: Path) -> Iterator[BinaryIO]:
    """Open a new file that replaces `target` only if the block succeeds.

    Several processes may do so at once: each writes its own temporary file, and the last to finish wins.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    remove_abandoned(target.parent, f"{glob.escape(target.name)}.*.part", ABANDONED_AFTER)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=target.name + ".", suffix=".part")
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
        part.chmod(0o644)  # mkstemp's 0600 would make the file unreadable to other users of a shared folder
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def remove_abandoned(folder: Path, pattern: str, seconds: float) -> None:
    """Remove files and subfolders that killed processes left, unchanged for `seconds`."""
    for leftover in folder.glob(pattern):
        with suppress(OSError):
            parts = leftover.iterdir() if leftover.is_dir() else ()
            newest = max(path.stat().st_mtime for path in (leftover, *parts))
            if time.time() - newest <= seconds:
                continue
            if leftover.is_dir():
                shutil.rmtree(leftover, ignore_errors=True)
            else:
                leftover.unlink()


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Redirects whose pages aren't read: urllib would read one without end into memory."""

    def http_error_302(self, req: Any, fp: Any, code: int, msg: str, headers: Any) -> Any:
        fp.chunked, fp.length = False, 0
        return super().http_error_302(req, fp, code, msg, headers)

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        if not newurl.lower().startswith(("http:", "https:")):
            raise OSError(f"the server leads to an address of another kind ({shown(newurl, 100)})")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _open(url: str) -> HTTPResponse:
    # The address comes from the catalog, never from a user. An opener reads the proxies' settings when it is built.
    response: HTTPResponse = urllib.request.build_opener(_Redirects).open(url, timeout=_SOCKET_SECONDS)
    return response


def _open_url(url: str, cancel: Cancel | None) -> HTTPResponse:
    """Connect in a separate thread, because no timeout limits the look-up of a name.

    Raises:
        OSError: there was no response within CONNECT_SECONDS, or the network failed.
        CancelledError: `cancel` was set.
    """
    outcome: list[HTTPResponse | BaseException] = []

    def connect() -> None:
        try:
            outcome.append(_open(url))
        except BaseException as error:
            outcome.append(error)

    thread = threading.Thread(target=connect, daemon=True, name="tl_widgets-connect")
    deadline = time.monotonic() + CONNECT_SECONDS
    thread.start()
    while thread.is_alive() and time.monotonic() < deadline:
        raise_if_cancelled(cancel)
        thread.join(0.05)
    if not outcome:
        raise TimeoutError(_("no answer within {connect_seconds:.0f} s", connect_seconds=CONNECT_SECONDS))
    answer = outcome[0]
    if isinstance(answer, HTTPResponse):
        return answer
    if isinstance(answer, Exception) and not isinstance(answer, OSError | HTTPException):
        raise OSError(f"the server's answer can't be understood ({answer})") from answer  # a malformed Location
    raise answer


def _copy(
    response: HTTPResponse,
    file: BinaryIO,
    digest: hashlib._Hash,
    text: str,
    n_total: int,
    most: int,
    on_event: OnEvent,
    cancel: Cancel | None,
) -> None:
    started = last_event = last_check = time.monotonic()
    n_done = n_at_check = 0
    while chunk := response.read1(_CHUNK):  # at most one read, so a slow server is noticed
        raise_if_cancelled(cancel)
        if n_done + len(chunk) > most:
            raise OSError(f"the server sends more than the {size_text(most, kilobytes=True)} that the file can have")
        file.write(chunk)
        digest.update(chunk)
        n_done += len(chunk)
        now = time.monotonic()
        if now - last_check > _SPEED_CHECK_SECONDS:
            if n_done - n_at_check < _MIN_BYTES_PER_SECOND * (now - last_check):
                raise OSError(f"the server is too slow: {n_done - n_at_check:,} bytes in {now - last_check:.0f} s")
            last_check, n_at_check = now, n_done
        if now - last_event > 0.1 or n_done == n_total:
            last_event, seconds = now, now - started
            progress = (
                _("{text}: {n_done} of {n_total}", text=text, n_done=size_text(n_done), n_total=size_text(n_total))
                if n_total
                else f"{text}: {size_text(n_done)}"
            )
            left = seconds_left(seconds, n_done, n_total)
            on_event(Event("download", progress, n_done=n_done, n_total=n_total, seconds=seconds, seconds_left=left))
    if n_total and n_done != n_total:
        raise OSError(f"the connection broke after {size_text(n_done)} of {size_text(n_total)}")
