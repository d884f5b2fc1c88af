"""Look at the Dockerfile that repo2docker renders for this repository: right Python, pinned packages, last step."""

import sys
from pathlib import Path

NEEDED = {
    "the photographs": "tuxpaint-stamps-default",
    "Python 3.12": "conda environment for python=3.12",
    "the pinned packages": 'pip install --no-cache-dir -r "binder/requirements.txt"',
    "the last step": "RUN ./binder/postBuild",
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
