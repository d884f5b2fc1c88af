"""What `tl-widgets doctor` and the how-to page say of small hubs: measured once, and within what a hub of 1 GB gives.

Notebooks' kernels are measured where nbval runs them (kernel_cost.py). That of notebook 00, which runs a Lab with
larger images, has to keep below 900 MB (claims/).
"""

import re
from pathlib import Path

import pytest
from kernel_cost import MOST_MEGABYTES

from tl_widgets.cli import doctor
from tl_widgets.core.kernel_memory import LAB, NOTEBOOKS, SERVER, TWO_LABS, what_fits

ROOT = Path(__file__).resolve().parents[1]


def test_the_page_has_the_figures():
    text = (ROOT / "docs" / "how-to" / "small-hubs.md").read_text("utf-8")
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in re.findall(r"^\|.*\|$", text, re.MULTILINE)
    ]
    figures = {row[0]: row[1] for row in rows}
    assert {name: int(figures[f"[{name}](../../notebooks/{name}.ipynb)"]) for name in NOTEBOOKS} == NOTEBOOKS
    kernels = ("JupyterLab's server", "a Lab with one comparison at 64 pixels", "two kernels with such a Lab, at once")
    assert [int(figures[name].replace(",", "")) for name in kernels] == [SERVER, LAB, TWO_LABS]


def test_every_notebook_has_a_figure_and_one_gigabyte_is_enough_on_slower_machines():
    assert sorted(NOTEBOOKS) == sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
    assert max(NOTEBOOKS.values()) * 1.1 < MOST_MEGABYTES < 1000
    assert LAB < 900
    assert TWO_LABS < 2000


@pytest.mark.parametrize(
    ("megabytes", "said"),
    [
        (400, "one comparison at 64 pixels takes {lab} MB, which doesn't fit. No notebook fits"),
        (1074, "at 64 pixels fits ({lab} MB). Every notebook fits ({most} MB at most). Run one kernel at a time"),
        (2147, "Every notebook fits ({most} MB at most). Two kernels at once fit"),
    ],
)
def test_the_doctor_says_what_the_limit_allows(monkeypatch, megabytes, said):
    monkeypatch.setattr(doctor, "memory_limit", lambda: megabytes * 1_000_000)
    (kernels,) = (finding for finding in doctor._hardware() if finding.subject == "kernels")
    assert kernels.level == ("missing" if megabytes == 400 else "good")
    assert kernels.text.startswith(f"JupyterLab takes {SERVER} MB of {megabytes:,}. ")
    assert said.format(lab=LAB, most=max(NOTEBOOKS.values())) in kernels.text


def test_notebooks_that_fit_are_named():
    least = min(NOTEBOOKS, key=NOTEBOOKS.__getitem__)
    text = what_fits(SERVER + 1.07 * NOTEBOOKS[least])
    assert f"Of the notebooks, {least[:2]}" in text
    assert f"others take up to {max(NOTEBOOKS.values())} MB" in text
