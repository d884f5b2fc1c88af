"""Repeats and fine-tuning in the Lab: controls, lines, verdict, curves, table of runs, Stop."""

import re
import threading
from dataclasses import replace

import pytest
from helpers import page

from tl_widgets import Config, FineTuningSpec, ScratchSpec, TransferLab, to_report
from tl_widgets.core.events import Event
from tl_widgets.widgets import LabSettings
from tl_widgets.widgets.lab import race
from tl_widgets.widgets.lab.race import RaceView
from tl_widgets.widgets.shared.live import ProgressView

pytestmark = pytest.mark.usefixtures("tiny_default")

TUNING = FineTuningSpec(n_blocks=1, epochs=2, learning_rate=1e-3)
SMALL = LabSettings(
    image_size=32,
    n_per_class=4,
    config=Config(epochs=3, scratch=ScratchSpec((4, 4), (3, 3), dense_units=8), seed=2, repeats=2, fine_tuning=TUNING),
)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A Lab after two runs: one with repeats and fine-tuning, one plain."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TL_WIDGETS_HOME", str(tmp_path_factory.mktemp("home")))
        lab = TransferLab(settings=SMALL)
        result = lab.run(wait=True).result
        shown = page(lab)
        lab.panel.control("repeats").value = 1
        lab.panel.control("fine_tune_blocks").value = 0
        lab.run(wait=True)
        yield lab, result, shown
        lab.close()


def test_the_verdict_is_that_of_the_seeds(finished):
    _, result, shown = finished
    assert result.repeats.seeds == (2, 3)
    assert "ver 2 seeds" in result.verdict.text
    assert "2 seeds from 2 to 3" in shown
    for name in ("scratch", "transfer", "fine_tuned"):
        assert f"{100 * result.repeats.mean(name).mean:.1f}%</b> <small>mean of 2 seeds, 95% over seeds" in shown
    assert shown.count('class="tlw-result tlw-edge-fine_tuned"') == 1


def test_the_table_of_runs_has_a_column_for_it(finished):
    lab, _, shown = finished
    assert "; 2 seeds)</small>" in shown
    table = page(lab.screen.runs)
    head = re.findall(r'<th scope="col" [^>]*>([^<]*)</th>', table)
    assert head[:3] == ["Run", "fine-tuned blocks", "repeats"]
    assert "Fine-tuned" in head
    assert len(re.findall(r"<tr>", table)) == 3
    lab.screen.runs.overlay_menu.value = 1
    assert "run 1 is dashed" in page(lab.screen.runs)
    assert "Fine-tuned" in lab.screen.runs.children[-1].markup


def test_controls_hold_blocks_and_repeats(finished):
    lab, *_ = finished
    lab.settings = SMALL
    assert lab.panel.control("fine_tune_blocks").value == 1
    assert lab.panel.control("repeats").value == 2
    lab.panel.control("fine_tune_blocks").value = 3
    assert lab.settings.config.fine_tuning == replace(TUNING, n_blocks=3), "epochs and rate stay"
    lines = "".join(line.value for line in lab.panel._lines.values())
    assert "last 3 blocks are trained" in lines
    assert "2 more epochs at a learning rate of 0.001" in lines
    assert "repeated with <b>2 seeds</b>" in lines
    assert LabSettings.from_json(lab.settings.to_json()) == lab.settings
    assert "unfreeze_last_blocks(transfer, 3)" in lab.screen.code.script
    lab.panel.control("fine_tune_blocks").value = 0
    assert lab.settings.config.fine_tuning is None
    lab.panel.control("fine_tune_blocks").value = 2
    assert lab.settings.config.fine_tuning == FineTuningSpec(n_blocks=2)


def test_stop_shows_the_repeats_that_were_done(make_lab, monkeypatch):
    lab = make_lab(settings=replace(SMALL, config=replace(SMALL.config, repeats=50, fine_tuning=None)))
    on_event = lab.screen.on_event

    def stop_at_three(event):
        on_event(event)
        if event.phase == "study" and event.n_done == 3:
            lab.stop()

    monkeypatch.setattr(lab.screen, "on_event", stop_at_three)
    run = lab.run(wait=True)
    assert run.result.stopped
    assert lab.result is run.result
    assert run.result.repeats.seeds == (2, 3, 4)
    shown = page(lab)
    assert "Stopped after 3 of 50 seeds" in shown
    assert "the finished repeats count" in shown
    assert 'data-state="stopped"' in shown


def test_a_report_has_the_seeds_in_a_table(finished):
    _, result, _ = finished
    report = to_report(result)
    assert "Test accuracy seed by seed; everything else on this page is from seed 2" in report
    assert "fine_tuning.n_blocks" in report


# Live curves and progress


def rows_of(view):
    """The cells of the chart's table for screen readers, by epoch."""
    rows = re.findall(r"<tr>(.*?)</tr>", view.markup, re.S)
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S) for row in rows]


def test_a_fine_tuned_curve_goes_on_where_the_frozen_one_ended():
    view = RaceView()
    view.start(("transfer", "fine_tuned"), n_epochs=5, backbone="Net", chance=0.5, fine_tuning_start=3)
    for model, values in (("transfer", (0.5, 0.6, 0.7)), ("fine_tuned", (0.8, 0.9))):
        for value in values:
            metrics = {"loss": 1.0, "accuracy": value, "val_loss": 1.0, "val_accuracy": value}
            assert view.add_event(Event("train", "", model, metrics=metrics))
    view.draw()
    assert rows_of(view)[3:] == [
        ["3", "70.0%", "70.0%", "70.0%", "70.0%"],
        ["4", "", "", "80.0%", "80.0%"],
        ["5", "", "", "90.0%", "90.0%"],
    ]
    assert "fine-tuned 90.0% after 5 of 5 epochs" in view.markup
    assert "fine-tuning from here" in view.markup


def test_a_chart_that_a_training_is_drawing_does_not_replace_that_of_another_size(monkeypatch):
    view, draw, drawing, has_other_size = RaceView(), race.race_chart, threading.Event(), threading.Event()

    def draw_slowly(*arguments, width, **more):
        chart = draw(*arguments, width=width, **more)
        if width == 600:
            drawing.set()
            has_other_size.wait(1)  # not longer: the other size waits for this chart
        return chart

    monkeypatch.setattr(race, "race_chart", draw_slowly)
    training = threading.Thread(target=view.draw)
    training.start()
    assert drawing.wait(60)
    view.size = [400, 300]
    has_other_size.set()
    training.join()
    assert 'viewBox="0 0 400 ' in view.markup


def test_a_kept_frozen_stage_sends_no_events_and_the_curve_still_begins_behind_it():
    view = RaceView()
    view.start(("transfer", "fine_tuned"), n_epochs=5, backbone="Net", chance=0.5, fine_tuning_start=3)
    metrics = {"loss": 1.0, "accuracy": 0.8, "val_loss": 1.0, "val_accuracy": 0.8}
    view.add_event(Event("train", "", "fine_tuned", metrics=metrics))
    view.draw()
    assert rows_of(view)[3:] == [["3", "", "", ""], ["4", "", "80.0%", "80.0%"]]
    assert "fine-tuned 80.0% after 4 of 5 epochs" in view.markup


def test_progress_names_one_epoch_and_says_once_what_is_left():
    view = ProgressView()
    view.start(("scratch", "transfer"))
    done = Event("train", "training: epoch 2 of 9", "transfer", 4, 18, 2, 9, {"loss": 1.0}, 1.0, 8.0)
    for event in (done, Event("train", "training: epoch 3 of 9", "scratch", 5, 18, 2, 9, {}, 2.0, 7.0)):
        view.add_event(event)
    view.draw()
    assert "From scratch: training: epoch 3 of 9 · about 7.0 s left</p>" in view.value
    assert ">epoch 3 of 9 · 2.0 s<" in view.value
    assert ">epoch 2 of 9 · 1.0 s<" in view.value
    assert view.value.count("left") == 1


def test_progress_counts_the_repeats_in_a_bar_of_their_own():
    view = ProgressView()
    view.start(("scratch", "transfer"))
    view.add_event(
        Event("study", "repeat 3 of 5: reading features", n_done=2, n_total=5, seconds=8.0, seconds_left=12.0)
    )
    view.draw()
    assert 'aria-label="Repeats" value="2" max="5"' in view.value
    assert "repeat 3 of 5: reading features</p>" in view.value
    assert "repeat 3 of 5 · 8.0 s · about 12 s left" in view.value
    view.finish("Done.", ())
    assert "Repeats" not in view.value
