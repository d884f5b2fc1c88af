#!/usr/bin/env bash
# Proves binder/ without Docker: repo2docker's own code renders the Dockerfile; the pinned packages exist for the
# image's Python; the same install steps into a fresh environment; every notebook runs in it, with little memory.
# Downloads some 600 MB and takes three to five minutes. Ends with "binder: all good".
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
say() { printf '== binder: %s (%s s)\n' "$1" "$SECONDS"; }

say "the Dockerfile, rendered by repo2docker"
python3 -m venv "$work/r2d"
"$work/r2d/bin/pip" install -q jupyter-repo2docker==2026.4.0
"$work/r2d/bin/jupyter-repo2docker" --no-build --debug . >"$work/Dockerfile" 2>&1
python3 tests/binder/read_dockerfile.py "$work/Dockerfile"

say "the pinned packages, for the image's Python"
version=$(sed 's/python-//' binder/runtime.txt)
"$work/r2d/bin/pip" install -q --dry-run --ignore-installed --only-binary=:all: --python-version "$version" \
  --platform manylinux_2_28_x86_64 --platform manylinux_2_27_x86_64 --platform manylinux2014_x86_64 --target "$work/none" -r binder/requirements.txt

say "the same steps into a fresh environment"
python3 -m venv "$work/venv"
export PATH="$work/venv/bin:$PATH" HOME="$work/home" PIP_NO_CACHE_DIR=1
unset TL_WIDGETS_HOME KERAS_HOME
mkdir -p "$HOME"  # where repo2docker puts the repository
git ls-files -z --cached --others --exclude-standard |
  tar --create --null --files-from=- --ignore-failed-read | tar --extract --directory="$HOME"
cd "$HOME"
pip install -q -r binder/requirements.txt
./binder/postBuild
du -sh "$work/venv" | sed 's/^/   on disk: /'
jupyter lab --show-config 2>/dev/null | grep -q "00_start_here" || { echo "00_start_here would not open"; exit 1; }
bad=$(pip check | grep -v "requires tensorflow, which is not installed" | grep -v "No broken requirements" || true)
[ -z "$bad" ] || { echo "$bad"; exit 1; }

say "every notebook in it, in 60 s and 1,200 MB"
python tests/notebooks/refresh.py --check
echo "binder: all good"
