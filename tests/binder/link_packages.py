"""Give a new environment what the tests' environment already has of Binder's packages; pip then installs only the rest.

    TESTS_PYTHON tests/binder/link_packages.py ENVIRONMENT
    TESTS_PYTHON tests/binder/link_packages.py ENVIRONMENT --stand-ins    # after pip

What Binder's pins need goes in and nothing else, so what they lack is missing there, too. Modules are hard links, with
the bytecode beside them; scripts, which name their Python, and data, which a program may write to, are copies. Where
another release stands in for a package here (`ALSO`), pip installs the package, and its modules that are the same get
their bytecode.
"""

import importlib.util
import os
import shutil
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from same_versions import ALSO, pins

LEFT_OUT = ("pip", "setuptools")  # the environment has its own


def needed(requirements):
    """The distributions here, by name, that these need, and they themselves; pip installs those of other versions."""
    found, waiting = {}, list(map(Requirement, requirements))
    while waiting:
        wanted = waiting.pop()
        name = canonicalize_name(wanted.name)
        key = name, frozenset(wanted.extras)
        if key in found or name in LEFT_OUT:
            continue
        try:
            here = distribution(ALSO.get(name, name))
        except PackageNotFoundError:
            continue
        if not wanted.specifier.contains(here.version, prereleases=True):
            continue
        found[key] = here
        for each in map(Requirement, here.requires or ()):
            if not each.marker or any(each.marker.evaluate({"extra": extra}) for extra in ("", *wanted.extras)):
                waiting.append(each)
    return {name: here for (name, _), here in found.items()}


def give(here, environment, *, stands_in):
    """Put the files of a distribution into the environment."""
    prefix, packages = Path(sys.prefix).resolve(), Path(here.locate_file("")).resolve()
    for file in here.files or ():
        source = Path(os.path.normpath(packages / file))
        if not source.is_file() or not source.is_relative_to(prefix):
            continue
        target = environment / source.relative_to(prefix)
        if stands_in and not (source.suffix == ".py" and is_same(source, target)):
            continue
        if not source.is_relative_to(packages):
            copy(source, target, prefix, environment)
            continue
        link(source, target)
        bytecode = Path(importlib.util.cache_from_source(str(source)))
        if source.suffix == ".py" and bytecode.exists():
            link(bytecode, environment / bytecode.relative_to(prefix))


def is_same(source, target):
    """Whether both files are there with the same bytes."""
    return target.is_file() and source.read_bytes() == target.read_bytes()


def link(source, target):
    """Make `target` the same file as `source`, or a copy on another file system."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def copy(source, target, prefix, environment):
    """Copy a file unless there is one; a script gets the environment's Python."""
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)
    content = target.read_bytes()
    if content.startswith(b"#!"):
        target.write_bytes(content.replace(str(prefix).encode(), str(environment).encode(), 1))


def main():
    """Link and copy; say how many packages."""
    environment, of_stand_ins = Path(sys.argv[1]).resolve(), "--stand-ins" in sys.argv
    pinned = [f"{name}=={version}" for name, version in pins().items()]
    found = [here for name, here in needed(pinned).items() if (name in ALSO) == of_stand_ins]
    for here in found:
        give(here, environment, stands_in=of_stand_ins)
    if not of_stand_ins:
        print(f"   {len(found)} packages are those of the tests' environment")


if __name__ == "__main__":
    main()
