"""Names for files and folders that an app saves next to the notebook, and the content of those that it keeps there."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tl_widgets.core.errors import InputError
from tl_widgets.core.html import Markup, escape
from tl_widgets.core.kept_files import NewerVersionError
from tl_widgets.core.paths import user_path, working_folder
from tl_widgets.core.translation import _
from tl_widgets.data.archives import printable
from tl_widgets.records.codec import FORMAT, load

# In Notebook 7, /notebooks/ opens notebooks alone, and files are below /files/.
_IN_NOTEBOOK_7 = (
    "const p='/notebooks/',at=location.pathname.indexOf(p);"
    "if(document.body.dataset.notebook&&this.pathname.startsWith(p,at))"
    "this.pathname=this.pathname.slice(0,at)+'/files/'+this.pathname.slice(at+p.length)"
)


def has_file_pages() -> bool:
    """Return whether the page can open files beside the notebook; Voila gives out none."""
    return not os.environ.get("SERVER_SOFTWARE", "").startswith("voila/")


def file_link(path: Path, name: str = "") -> Markup:
    """Return a link that opens a file beside the notebook in a new tab, or only the file's place where no link works.

    It reads `name`, or the path. The browser resolves it against the notebook's address, `/lab/tree/FOLDER/NOTEBOOK`,
    and the notebook's folder is where the kernel works.
    """
    whole, here = path.expanduser().absolute(), working_folder()
    if not (has_file_pages() and whole.is_relative_to(here)):
        return escape(printable(str(whole)))
    path = whole.relative_to(here)
    return Markup('<a href="{}" target="_blank" rel="noopener" onmouseover="{}" onfocus="{}">{}</a>').format(
        quote(path.as_posix()), _IN_NOTEBOOK_7, _IN_NOTEBOOK_7, printable(name or path.as_posix())
    )


def free_paths(name: str, suffixes: Sequence[str], *, example: str) -> tuple[Path, ...]:
    """Return a path for each suffix, with a number added to the name, typed with or without a suffix, if one exists."""
    stem = next((name.removesuffix(suffix) for suffix in suffixes if name.endswith(suffix)), name)
    stem = str(user_path(stem or ".", _("The file")))
    user_path(f"{stem}-100{max(suffixes, key=len)}", _("The file"))
    if Path(stem).name in ("", "..") or any(Path(f"{stem}{suffix}").is_dir() for suffix in suffixes):
        raise InputError(_("{name!r} is not a file name. Type one such as {example}.", name=name, example=example))
    folder = Path(stem).parent
    if not folder.is_dir():
        raise InputError(
            _("The folder {folder} does not exist. Save beside the notebook, or create it first.", folder=folder)
        )
    for i in range(1, 1000):
        paths = tuple(Path(f"{stem}{'' if i == 1 else f'-{i}'}{suffix}") for suffix in suffixes)
        if not any(path.exists() for path in paths):
            return paths
    raise InputError(_("There are already a thousand files with names like {name}. Choose another name.", name=name))


def free_folder(name: str) -> Path:
    """Return the path of a new folder, with a number added to the typed name if it exists."""
    path = user_path(name or ".", _("The folder"))
    if not path.name or path.name == ".." or "\0" in name:
        raise InputError(_("{name!r} is not a folder name. Type one such as transfer-learning-run.", name=name))
    if not path.parent.is_dir():
        raise InputError(
            _("The folder {parent} does not exist. Save beside the notebook, or create it first.", parent=path.parent)
        )
    for i in range(1, 1000):
        free = path if i == 1 else path.with_name(f"{path.name}-{i}")
        if not free.exists() and not free.is_symlink():
            return free
    raise InputError(_("There are already a thousand folders with names like {name}. Choose another name.", name=name))


def kept_text(parts: dict[str, Any]) -> str:
    """Return the text of a file that keeps something for the next kernel; `read_kept` reads it."""
    return json.dumps({"format": FORMAT, **parts})


def read_kept(text: str) -> dict[str, Any]:
    """Return the parts of a file that was kept, which anybody may have written.

    Raises:
        InputError: it is no such file; NewerVersionError: a newer version wrote it.
    """
    parts = load(text)
    form = parts.get("format")
    if isinstance(form, int) and form > FORMAT:
        raise NewerVersionError(
            _("A run was kept by a newer version of tl_widgets, which this one can't read; its file stays.")
        )
    if form != FORMAT:
        raise InputError(_("it isn't a run of a Lab"))
    return parts
