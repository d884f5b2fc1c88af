"""TransferLab in a real kernel, as nbclient, papermill and nbconvert run it: the saved widgets tell what came out."""

import os
from pathlib import Path

import nbformat
import pytest
from jupyter_client import KernelManager
from nbclient import NotebookClient

SETUP = """
import tiny
standing_in = tiny.standing_in()
standing_in.__enter__()
from tl_widgets import Config, ScratchSpec, TransferLab
from tl_widgets.widgets import LabSettings
scratch = ScratchSpec(filters=(4, 4), kernel_sizes=(3, 3), dense_units=8)
settings = LabSettings(image_size=32, n_per_class=4, config=Config(epochs=2, scratch=scratch))
"""
SHOW = "lab = TransferLab(settings=settings)\nlab"
COUNT = """
import threading, time
from ipywidgets.widgets.widget import _instances
end = time.monotonic() + 60
while sum(thread.name == "tl_widgets" for thread in threading.enumerate()) and time.monotonic() < end:
    time.sleep(0.05)
print(len(_instances), sum(thread.name == "tl_widgets" for thread in threading.enumerate()))
"""


class Kernel:
    """One kernel for all tests of this file, because each would load TensorFlow anew."""

    def __init__(self, home):
        modules = os.pathsep.join(filter(None, (str(Path(__file__).parent), os.environ.get("PYTHONPATH"))))
        self.environment = {**os.environ, "TL_WIDGETS_HOME": str(home), "PYTHONPATH": modules}
        self.start()

    def start(self):
        self.manager = KernelManager()
        self.manager.start_kernel(env=self.environment)

    def kill(self):
        self.manager.shutdown_kernel(now=True)


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    kernel = Kernel(tmp_path_factory.mktemp("home"))
    yield kernel
    kernel.kill()


@pytest.fixture
def run(kernel, tmp_path):
    """Run cells in a kernel without widgets and names of earlier tests, in this test's folder.

    A source that comes again is the same cell, which runs again.
    """

    def run(*cells, allow_errors=False):
        fresh = (
            "import os\nfrom ipywidgets import Widget\nWidget.close_all()\nos.environ.pop('JPY_SESSION_NAME', None)\n"
            f"%reset -f\n%cd -q {tmp_path}"
        )
        sources = list(dict.fromkeys([fresh, *cells]))
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
        client = NotebookClient(notebook, km=kernel.manager, timeout=120, allow_errors=allow_errors)
        with client.setup_kernel():
            for i in map(sources.index, (fresh, *cells)):
                client.execute_cell(notebook.cells[i], i)
            client.set_widgets_metadata()
        del notebook.cells[0]
        return notebook

    return run


def test_a_question_stays_in_the_saved_notebook(run):
    """What was asked, chosen and measured is in ordinary outputs, which need no kernel."""
    ask = "from tl_widgets.teaching import Prediction, Quiz\nprediction, quiz = Prediction('who_wins'), Quiz('result')"
    choose = """
prediction.answer.value, prediction.because.value = "transfer", prediction._asked.example[1]
prediction.reveal("transfer")
quiz.choice.value = quiz.question.options[0].text
quiz.button.click()
"""
    _, asked, quizzed, _ = run(ask, "prediction", "quiz", choose).cells
    widget, page = asked.outputs
    assert set(widget.data) == {"application/vnd.jupyter.widget-view+json"}
    assert "<br>● transfer<br>" in page.data["text/html"]
    assert "<p>Measured: transfer. That came true." in page.data["text/html"]
    assert "  (x) transfer\n" in page.data["text/plain"]
    assert "<p>Not quite. " in quizzed.outputs[1].data["text/html"]


def printed(cell):
    return "".join(output.text for output in cell.outputs if output.output_type == "stream")


def test_the_saved_notebook_tells_what_came_out(run):
    notebook = run(
        SETUP,
        SHOW,
        "comparison = await lab.run().done()",
        "print(comparison.verdict.text)\nprint(len(lab.runs), lab.is_running)\nprint(lab.screen.stop_button.model_id)",
    )
    shown = notebook.cells[1].outputs[0].data
    assert shown["text/plain"] == "TransferLab: two models on the same images (needs a live notebook)"
    verdict, state, stop = printed(notebook.cells[3]).splitlines()
    assert state == "1 False"
    widgets = notebook.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"]
    assert shown["application/vnd.jupyter.widget-view+json"]["model_id"] in widgets
    texts = [str(widget["state"].get("value", "")) for widget in widgets.values()]
    assert any(verdict in text for text in texts)
    assert any('data-state="done"' in text for text in texts)
    charts = [str(widget["state"].get("markup", "")) for widget in widgets.values()]
    assert any("<svg" in chart and "Accuracy by epoch" in chart for chart in charts)
    disabled = {w["state"].get("description"): w["state"].get("disabled") for w in widgets.values()}
    train = next(name for name in disabled if name and name.startswith("Train both"))
    assert (disabled[train], widgets[stop]["state"]["disabled"], disabled["Epochs"]) == (False, True, False)


def test_the_kernel_answers_other_cells_while_it_trains(run):
    notebook = run(
        SETUP,
        "lab = TransferLab(settings=settings.with_values({'epochs': 10_000}))\nevents, show = [], lab.screen.on_event\n"
        "lab.screen.on_event = lambda event: (events.append(event), show(event))\nrun = lab.run()",
        "import asyncio\nwhile 'epoch' not in lab.screen.progress.value: await asyncio.sleep(0.05)",
        "longest = 0\nfor _ in range(40):\n    before = len(events); await asyncio.sleep(0.01)\n"
        "    longest = max(longest, len(events) - before)\nprint(lab.is_running, longest)",
        "lab.stop()\nawait run.done()\nprint(lab.result, lab.screen.progress.value)",
    )
    is_running, longest = printed(notebook.cells[3]).split()
    assert is_running == "True"
    assert int(longest) < 250  # epochs, of 20,000: as many as were trained in half a second
    assert printed(notebook.cells[4]).startswith("None ")
    assert "Stopped." in printed(notebook.cells[4])


def test_an_interrupt_stops_a_waiting_cell_and_the_training(run):
    notebook = run(
        SETUP,
        "import _thread, threading, time\nlab = TransferLab(settings=settings.with_values({'epochs': 10_000}))\n"
        "def interrupt():\n    while not lab.is_running: time.sleep(0.05)\n"
        "    time.sleep(1)\n    _thread.interrupt_main()\n"
        "threading.Thread(target=interrupt).start()\nlab.run(wait=True)",
        "lab.last_run.wait(60)\nprint(lab.is_running, 'Stopped' in lab.screen.progress.value)",
        allow_errors=True,
    )
    assert notebook.cells[1].outputs[-1].ename == "KeyboardInterrupt"
    assert printed(notebook.cells[2]) == "False True\n"


def test_a_mistake_in_a_cell_is_a_sentence_without_a_stack_trace(run):
    (error,) = run(SETUP + "TransferLab(show=['epoch'])", allow_errors=True).cells[0].outputs
    assert error.traceback == [f"InputError: {error.evalue}"]
    assert "There is no control 'epoch'" in error.evalue


def test_running_a_cell_again_leaves_neither_widgets_nor_threads(run):
    notebook = run(SETUP, SHOW, COUNT, *[SHOW] * 20, f"{COUNT}# afterwards")
    once, many = printed(notebook.cells[2]), printed(notebook.cells[-1])
    assert many == once
    assert once.endswith(" 0\n")
    assert int(once.split()[0]) > 50


def test_own_images_in_a_kernel_that_goes_on_answering(run, tmp_path):
    from helpers import fill

    for i, name in enumerate(("<b>cat</b>", "dog")):
        fill(tmp_path / "pets" / name.replace("/", "_"), 12, start=20 * i)
    notebook = run(
        SETUP,
        "lab = TransferLab(settings=settings.with_values({'n_per_class': None}))\nlab",
        "intake = lab.images.intake\nintake.menu.value = intake.menu.options[1][1]\nintake.open_button.click()\n"
        "await lab.images.last_run.done()\nlab.images.use_button.click()\nawait lab.images.last_run.done()",
        "comparison = await lab.run().done()\nprint(comparison.dataset.class_names, comparison.dataset.n_train)",
    )
    assert printed(notebook.cells[3]) == "('<b>cat<_b>', 'dog') 14\n"
    widgets = notebook.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"]
    texts = "".join(str(widget["state"].get("value", "")) for widget in widgets.values())
    assert "The Lab now uses <b>pets</b>" in texts
    assert "&lt;b&gt;cat" in texts
    assert "<b>cat<_b>" not in [w["state"].get("value") for w in widgets.values() if w["model_name"] == "HTMLModel"]


def test_a_restarted_kernel_has_the_runs_again_and_their_models_answer(run, kernel, tmp_path):
    of_notebook = f"import os\nos.environ['JPY_SESSION_NAME'] = {str(tmp_path / 'mine.ipynb')!r}"
    look = """
from tl_widgets import predict
picture = lab._source.load(lab.settings).test.images[0]
print(len(lab.runs), lab.state, *(answer.probabilities for answer in predict(lab.result, picture).answers))
"""
    first = run(SETUP, of_notebook, SHOW, "comparison = await lab.run().done()", look)
    kernel.kill()  # as one that is culled
    kernel.start()  # with a manager of its own: where the old one restarts its kernel, clients can wait in vain
    # nbclient sees no widget that changes once its cell has ended, so the kernel says what stands there.
    greeting = "await lab.taken_up.done()\nprint(lab.screen.outcome.live_line.value)"
    again = run(SETUP, of_notebook, SHOW, greeting, look)
    assert printed(first.cells[-1]).startswith("1 done (")
    assert printed(again.cells[-1]) == printed(first.cells[-1]).replace("done", "idle")
    assert "Here again: 1 run from today, " in printed(again.cells[-2])


DROPS = """
import asyncio, os, threading
from ipywidgets import HTML
from tl_widgets.widgets.shared import threads
session, arrived, parents = get_ipython().kernel.session, [], set()
send = session.send
def send_or_drop(stream, message, content=None, *args, **options):
    kind = message["header"]["msg_type"] if isinstance(message, dict) else message
    if kind.startswith("comm") or "display" in kind:
        if threading.current_thread() is not threading.main_thread():
            return
        arrived.append(str(content))
        parents.add(options["parent"]["header"]["msg_id"] if "step" in str(content) else "")
    return send(stream, message, content, *args, **options)
session.send = send_or_drop
def work(cancel):
    for step in range(4):
        line.value = f"step {step}"
        threading.Event().wait(0.2)
line = HTML("before")
line
"""


def test_the_lab_moves_where_messages_of_threads_are_dropped(run):
    """As in Colab. Besides, nbclient sees only messages that belong to the cell that runs."""
    notebook = run(
        DROPS,
        "os.environ['TL_WIDGETS_RELAY'] = '0'\nawait threads.Run(work).done()\n"
        "print(any('step' in text for text in arrived))",
        "os.environ['TL_WIDGETS_RELAY'] = '1'\nfree = threads.Run(work)",
        "parents.clear()\nwhile free.is_running: await asyncio.sleep(0.05)\nawait asyncio.sleep(0.05)\n"
        "here = get_ipython().kernel.get_parent('shell')['header']['msg_id']\n"
        "steps = [step for step in range(4) if any(f'step {step}' in text for text in arrived)]\n"
        "print(steps, parents - {''} == {here})",
        SETUP,
        SHOW,
        "run = lab.run()",
        "from tl_widgets.teaching import result_of\nprint(result_of(lab).verdict.text)",
        "threads._relay, session.send = None, send\ndel os.environ['TL_WIDGETS_RELAY']",
    )
    cells = notebook.cells
    assert printed(cells[1]).strip() == "False"  # they are dropped
    assert printed(cells[3]).strip() == "[0, 1, 2, 3] True"  # the main thread was free, and this cell waited
    widgets = notebook.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"].values()
    texts = [str(widget["state"].get("value", "")) for widget in widgets]
    assert any('data-state="done"' in text for text in texts)
    assert any(printed(cells[7]).strip() in text for text in texts)
    assert any("Accuracy by epoch" in str(widget["state"].get("markup", "")) for widget in widgets)
    (paper,) = (out for out in cells[5].outputs if "text/html" in out.data)
    assert printed(cells[7]).strip() in paper.data["text/html"]
