"""The table of readings that the package carries is what its command computes."""

import math

from hilladam.experiments import stored_readings, summarize, table1


def test_the_stored_table_has_every_reading():
    stored = stored_readings()
    settings = ["activation", "eps", "bias_correction", "gamma"]
    hill_adam = stored[stored.optimizer == "Hill-ADAM"]
    assert len(hill_adam.groupby(settings)) == 4 * 2 * 2 * 3
    assert (hill_adam.groupby(settings).size() == 5).all()
    assert set(hill_adam.gamma) == {50.0, 200.0, math.inf}
    assert len(stored[stored.optimizer == "Adam"]) == 4 * 2 * 2 * 5


def test_one_of_its_cells_run_again():
    """Rounding decides on which side of a hill a run comes down, so a rate may differ by a run or two elsewhere."""
    reading = dict(activation="relu", eps="inside", bias_correction="copied")
    runs = table1(range(60), 15_000, gamma=200.0, losses=["sixth"], optimizers=["Hill-ADAM"], **reading)
    stored = stored_readings().set_index(["loss", "optimizer", *reading, "gamma"])
    cell = stored.loc[("sixth order", "Hill-ADAM", *reading.values(), 200.0)]
    found = summarize(runs).iloc[0]
    assert abs(found.success - cell.success) <= 3 / 60
    assert abs(found.mean_best - cell.mean_best) < 0.15
