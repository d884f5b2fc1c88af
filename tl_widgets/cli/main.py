"""The command `tl-widgets`: its arguments, and how mistakes and Ctrl-C end it.

Each command's module is imported only when it runs, so `tl-widgets --help` answers at once, without TensorFlow.

Exit status: 0 done; 1 a fault of tl_widgets, or a problem that `doctor` found; 2 a mistake in the arguments;
130 stopped with Ctrl-C.
"""

from __future__ import annotations

import argparse
import atexit
import contextlib
import gc
import importlib.util
import os
import subprocess
import sys
import traceback
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

from tl_widgets.cli.assignment import add_assignment
from tl_widgets.cli.options import IMAGE_OPTIONS, add_column_options, add_options, add_part_options
from tl_widgets.cli.output import output_problem, prepare_streams
from tl_widgets.cli.parser import MISTAKE, Parser, one_line
from tl_widgets.cli.study import add_study
from tl_widgets.core.config import Config, Workers
from tl_widgets.core.errors import CancelledError, InputError
from tl_widgets.core.paths import absolute_path, working_folder
from tl_widgets.core.settings import flat_settings
from tl_widgets.core.text import MOST_SHOWN, printable
from tl_widgets.core.translation import _
from tl_widgets.core.version import __version__

FAULT, STOPPED = 1, 130


def print_error(text: str, status: int) -> int:
    """Print one line to standard error and return the exit status."""
    with contextlib.suppress(OSError):  # nobody can be told
        sys.stderr.write(f"tl-widgets: {printable(one_line(text))}\n")
        sys.stderr.flush()
    return status


def missing_package(error: ImportError) -> str:
    """Return advice on a package that is missing, broken or too large; "" for modules of tl_widgets."""
    text = str(error)
    if "annot allocate memory" in text or ("failed to map segment" in text and "permitted" not in text):
        return _NO_MEMORY
    module = (error.name or "").partition(".")[0]
    if "site-packages" in (parts := Path(error.path or "").parts):
        module = parts[parts.index("site-packages") + 1]  # not the part of it that failed
    if module in ("", "tl_widgets"):
        return ""
    package = {"PIL": "pillow", "skimage": "scikit-image", "sklearn": "scikit-learn"}.get(module, module)
    if isinstance(error, ModuleNotFoundError):
        install = _("Install it with `pip install {package}`", package=package)
        return _(
            "The package {package} is missing. {install}, in this Python ({executable}).",
            package=package,
            install=install,
            executable=sys.executable,
        )
    again = _("Reinstall it with `pip install --force-reinstall {package}`", package=package)
    return _(
        "The package {package} can't be loaded ({text}). {again}, in this Python ({executable}).",
        package=package,
        text=text[:200],
        again=again,
        executable=sys.executable,
    )


def report_fault(error: Exception) -> int:
    """Log the stack trace for developers and print what happened in one line."""
    what = f"{type(error).__name__}: {one_line(str(error))[:200]}"
    for folder in _log_folders():
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            log = folder / "tl-widgets-error.log"
            log.write_text("".join(traceback.format_exception(error)), encoding="utf-8", errors="replace")
            return print_error(
                _("{what}. This is a bug in tl_widgets; please report it with {log}", what=what, log=log), FAULT
            )
    return print_error(_("{what}. This is a bug in tl_widgets", what=what), FAULT)


def _log_folders() -> Iterator[Path]:
    """Yield folders for the log; finding one may be what has just failed."""
    with contextlib.suppress(Exception):
        from tl_widgets.core.resources import home_folder

        yield home_folder()
    with contextlib.suppress(Exception):
        import tempfile

        yield Path(tempfile.gettempdir())


FIRST_NOTEBOOK = "00_start_here.ipynb"


def find_notebooks() -> Path:
    """Return the first notebook, here or in the checkout; else a notebook folder."""
    places = (working_folder() / "notebooks", working_folder(), Path(__file__).resolve().parents[2] / "notebooks")
    notebooks = [place / FIRST_NOTEBOOK for place in places]
    candidates = [path for path in notebooks if path.is_file()] + [
        place for place in places if place.name == "notebooks" and place.is_dir()
    ]
    return candidates[0] if candidates else working_folder()


def open_lab(options: Sequence[str]) -> int:
    """Run `jupyter lab` with these options and return its exit status.

    On Linux and macOS it replaces this process.

    Raises:
        ModuleNotFoundError: JupyterLab isn't installed.
    """
    if importlib.util.find_spec("jupyterlab") is None:
        raise ModuleNotFoundError(_("there is no JupyterLab"), name="jupyterlab")
    notebooks = find_notebooks()
    root = notebooks.parent.parent
    # In a checkout the notebooks link to the glossary, so JupyterLab must reach it.
    reach = [f"--ServerApp.root_dir={root}"] if (root / "docs" / "glossary.md").is_file() else []
    command = [sys.executable, "-m", "jupyterlab", *reach, *options, str(notebooks)]
    if os.name == "posix":
        sys.stdout.flush()
        os.execv(command[0], command)  # noqa: S606  # signals then reach JupyterLab itself
    return subprocess.run(command, check=False).returncode  # noqa: S603


_NO_MEMORY = _("There was not enough memory. Try smaller images, fewer of them, or a smaller backbone.")
_EPILOG = _("Everything that comes with it runs offline. `tl-widgets COMMAND --help` shows the options of a command.")


def build_parser() -> argparse.ArgumentParser:
    """Return the parser with all commands and their arguments."""
    parser = Parser(prog="tl-widgets", description=_("Learn transfer learning by measuring it."), epilog=_EPILOG)
    parser.add_argument(
        "--version",
        action="version",
        version=f"tl-widgets {__version__}",
        help=_("show program's version number and exit"),
    )
    _add_home(parser)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    _add_compare(commands)
    add_study(commands)
    _add_check(commands)
    add_assignment(commands)
    _add_export(commands)
    commands.add_parser("backbones", help=_("list the backbones that can be compared"))
    commands.add_parser("datasets", help=_("list the data sets that have a name"))
    fetch = commands.add_parser(
        "fetch",
        help=_("download weights and data sets, for later without network"),
        description=_(
            "Put the ImageNet weights of backbones, and data sets, into one folder. Copy it to other "
            "machines and name it there with --home or TL_WIDGETS_HOME; it may be read-only there."
        ),
    )
    fetch.add_argument(
        "names", nargs="+", metavar="NAME", help=_("a name from `tl-widgets backbones` or `tl-widgets datasets`")
    )
    fetch.add_argument(
        "--archive", type=Path, metavar="FILE", help=_("pack them into one .zip or .tar, to unpack elsewhere")
    )
    cache = commands.add_parser("cache", help=_("show what tl-widgets keeps on disk, and how large it is"))
    cache.add_argument(
        "--clear", action="store_true", help=_("delete what can be computed again (not downloaded weights)")
    )
    commands.add_parser(
        "doctor", help=_("check what works on this machine, also offline; status 1 if it can't compare")
    )
    commands.add_parser(
        "lab", help=_("open the notebooks in JupyterLab"), epilog=_("Other options go to `jupyter lab`.")
    )
    for command in commands.choices.values():
        _add_home(command)
    return parser


def _add_home(parser: argparse.ArgumentParser) -> None:
    """Add `--home`, which may stand before or after the command."""
    parser.add_argument(
        "--home",
        type=Path,
        default=argparse.SUPPRESS,  # neither place overrides the other
        metavar="FOLDER",
        help=_("where weights, data sets and caches are kept (default: TL_WIDGETS_HOME, else your cache folder)"),
    )


def _add_compare(commands: argparse._SubParsersAction[Parser]) -> None:
    compare = commands.add_parser(
        "compare",
        help=_("train a network from scratch and a frozen backbone on the same images"),
        description=_(
            "Train a small network from scratch and a frozen ImageNet backbone with a new head on the "
            "same images, test each once, and say which is better. A figure and a JSON record of "
            "everything are written into the current folder (tl-widgets-DATA.png, .json) unless --figure "
            "and --json say where."
        ),
    )
    compare.add_argument(
        "data",
        nargs="?",
        metavar="DATA",
        help=_(
            "a name that `tl-widgets datasets` lists (default: stamps if it is on this machine, else "
            "textures); or a folder or archive with a sub-folder for each class, a table of labels, or "
            "the classes in the file names"
        ),
    )
    add = compare.add_argument_group(_("what to train")).add_argument
    add_options(add, {**flat_settings(Config), **flat_settings(Workers)}.values())
    add = compare.add_argument_group(_("which images")).add_argument
    add_options(add, IMAGE_OPTIONS)
    add_column_options(add)
    add_part_options(add)
    add = compare.add_argument_group(_("what to write")).add_argument
    add("--json", type=Path, metavar="FILE", help=_("the record of everything"))
    add("--figure", type=Path, metavar="FILE", help=_("a .png, .svg or .pdf"))
    add(
        "--script",
        type=Path,
        metavar="FILE",
        help=_("the same experiment as a plain Keras program (only on request)"),
    )
    add("--report", type=Path, metavar="FILE", help=_("one HTML page with everything (only on request)"))
    add("--save-models", type=Path, metavar="FOLDER", help=_("the trained models as NAME.keras (only on request)"))
    add("--quiet", action="store_true", help=_("print only the verdict"))


def _add_check(commands: argparse._SubParsersAction[Parser]) -> None:
    check = commands.add_parser(
        "check",
        help=_("look for mistakes in a saved Keras model and its images"),
        description=_(
            "Look for common mistakes in a model that Keras saved, and in the images it is to be trained "
            "on. Nothing in the file is run: a model with Lambda layers or classes of your own isn't "
            "opened. Status 1 if something was found."
        ),
    )
    check.add_argument("model", type=Path, metavar="MODEL", help=_("a .keras or .h5 file"))
    check.add_argument(
        "data",
        metavar="DATA",
        help=_("a folder, an archive or a name, as for `compare`; the model gets its raw pixels, 0 to 255"),
    )
    add_options(check.add_argument, IMAGE_OPTIONS)
    add_column_options(check.add_argument)
    check.add_argument("--quiet", action="store_true", help=_("print only what was found"))


def _add_export(commands: argparse._SubParsersAction[Parser]) -> None:
    export = commands.add_parser(
        "export",
        help=_("write a trained model for a browser, a phone or another program, with proof that it answers the same"),
        description=_(
            "Convert a model that `tl-widgets compare --save-models` wrote, with its preprocessing and "
            "labels, and ask original and export about all test images. If they disagree on more than "
            "0.5% of them, nothing is written without --anyway. Needs pip install 'tl_widgets[export]'."
        ),
    )
    add = export.add_argument
    add("model", type=Path, metavar="MODEL", help=_("a .keras file"))
    add("data", nargs="?", metavar="DATA", help=_("the data it was trained on, as for `compare`"))
    add(
        "--to",
        default="web",
        metavar="FORMAT",
        help=_("web (a page with a camera, which runs offline), tflite, onnx or saved_model (default: web)"),
    )
    add("--int8", action="store_true", help=_("8-bit integers: a quarter of the size, calibrated with training images"))
    add("--anyway", action="store_true", help=_("write it even if it disagrees with the original"))
    add("--folder", type=Path, metavar="FOLDER", help=_("the new folder (default: tl-widgets-DATA-FORMAT)"))
    add("--quiet", action="store_true", help=_("print only the proof"))
    add = export.add_argument_group(_("which images: the same as for `compare`")).add_argument
    add_options(add, [*IMAGE_OPTIONS, flat_settings(Config)["seed"]])
    add_column_options(add)
    add_part_options(add)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; without `argv`, use the process's."""
    try:
        if argv is None:
            _prepare_process()
        status = _dispatch(argv)
        if problem := output_problem():
            if isinstance(problem, BrokenPipeError):  # as `| head` does
                return FAULT
            what = _(
                "not all of the output could be written here ({strerror}); files are complete",
                strerror=problem.strerror,
            )
            return print_error(what, MISTAKE)
        return status
    except InputError as error:
        return print_error(str(error), MISTAKE)
    except (CancelledError, KeyboardInterrupt):
        return print_error(_("stopped"), STOPPED)
    except OSError as error:  # a full disk, a folder that is gone: nothing that we could mend
        where = f": {str(error.filename)[:MOST_SHOWN]}" if error.filename else ""
        return print_error(f"{error.strerror or error}{where}", MISTAKE)
    except ImportError as error:
        missing = missing_package(error)
        return print_error(missing, MISTAKE) if missing else report_fault(error)
    except Exception as error:  # users never see a stack trace
        # TensorFlow's own error is recognized by its name: importing its class would load TensorFlow.
        if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
            return print_error(_NO_MEMORY, MISTAKE)
        return report_fault(error)


def _prepare_process() -> None:
    prepare_streams()
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # they address programmers
    # Python looks for garbage once more as it ends, which takes seconds among TensorFlow's objects.
    atexit.register(gc.freeze)


def _dispatch(argv: Sequence[str] | None) -> int:
    parser = build_parser()
    args, unknown = parser.parse_known_args(argv)
    if unknown and args.command != "lab":
        parser.error(_("unrecognized arguments: {unknown}", unknown=" ".join(unknown)))
    if "home" in args:
        # Child processes inherit the variable: JupyterLab and its kernels.
        os.environ["TL_WIDGETS_HOME"] = str(absolute_path(args.home, "--home"))
    match args.command:
        case "compare":
            from tl_widgets.cli.compare import run_compare

            run_compare(args)
        case "study":
            from tl_widgets.cli.study import run_study

            run_study(args)
        case "assignment":
            from tl_widgets.cli.assignment import run_assignment

            run_assignment(args)
        case "check":
            from tl_widgets.cli.check import run_check

            return run_check(args)
        case "export":
            from tl_widgets.cli.export import run_export

            run_export(args)
        case "lab":
            return open_lab(unknown)
        case "fetch":
            from tl_widgets.cli.fetch import fetch

            fetch(args.names, args.archive)
        case "doctor":
            from tl_widgets.cli.doctor import show_doctor

            return show_doctor(home_given="home" in args)
        case "backbones" | "datasets" | "cache":
            from tl_widgets.cli import lists as cli_lists

            if args.command == "cache":
                cli_lists.show_cache(clear=args.clear)
            else:
                (cli_lists.show_backbones if args.command == "backbones" else cli_lists.show_datasets)()
        case _:
            parser.print_help()
    return 0


if __name__ == "__main__":
    sys.exit(main())
