"""Whether the packages that Binder's image pins are those of this environment, whose tests run the notebooks."""

import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PINS = Path(__file__).resolve().parents[2] / "binder" / "requirements.txt"
ALSO = {"tensorflow-cpu": "tensorflow"}  # the same release with the GPU half


def pins():
    """The pinned versions by name."""
    lines = [line for line in PINS.read_text().splitlines() if "==" in line and not line.startswith("#")]
    return dict(line.split("==") for line in lines)


def main():
    """Print what differs; exit code 1 if anything does."""
    differing = []
    for name, pinned in pins().items():
        try:
            here = version(ALSO.get(name, name))
        except PackageNotFoundError:
            here = "not installed"
        if here != pinned:
            differing.append(f"   {name}: pinned {pinned}, in the tests' environment {here}")
    print("\n".join(differing) or "   the tests' environment has the same versions")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
