"""Look at the Dockerfile that repo2docker renders for this repository: the right Python, our packages, our postBuild."""

import sys
from pathlib import Path

NEEDED = {
    "Python 3.12": "environment.py-3.12.frozen",
    "the pinned packages": "binder/requirements.txt",
    "the last step": "binder/postBuild",
}


def main(path):
    """Exit with what is missing; say nothing else."""
    text = Path(path).read_text()
    missing = [what for what, sign in NEEDED.items() if sign not in text]
    if missing:
        sys.exit(f"The rendered Dockerfile lacks {', '.join(missing)}:\n{text[-4000:]}")
    print("   it has", ", ".join(NEEDED))


if __name__ == "__main__":
    main(sys.argv[1])
