"""check_setup on reported mistakes and on correct set-ups: what it names, and that it accuses nobody."""

import pytest
from bench_of_mistakes import judge


@pytest.mark.slow
def test_it_names_the_mistakes_and_accuses_no_correct_set_up():
    missed, n_mistakes, alarms, n_correct = judge()
    assert (n_mistakes >= 60, n_correct >= 100) == (True, True)
    assert alarms == []
    assert len(missed) <= 0.1 * n_mistakes, missed
