"""What the package stores is what its tool writes."""

import json
from importlib.resources import files

import numpy as np
import pandas as pd
import pytest
import store_results

from hilladam.experiments import (
    DISTANCES,
    MAPPED,
    _again,
    _success_maps,
    stored_again,
    stored_against_restarts,
    stored_championship,
    stored_further_races,
    stored_limits,
    stored_noisy_walks,
    stored_race,
    stored_readings,
    stored_success_maps,
    stored_table2_rates,
    stored_tuning_itself,
    stored_walks,
)


def test_what_is_packed_is_read_back(tmp_path, monkeypatch):
    maps = stored_success_maps()
    changed = {name: found._replace(counts=found.counts[::-1] + 1) for name, found in maps.items()}
    (tmp_path / "success_maps.json").write_text(store_results.success_maps_text(changed))
    monkeypatch.setattr(_success_maps, "files", lambda package: tmp_path)
    again = stored_success_maps()
    assert list(again) == list(maps) == list(MAPPED)
    for name, found in again.items():
        np.testing.assert_array_equal(found.counts, changed[name].counts)


@pytest.mark.parametrize(
    "name, text",
    [
        ("against_restarts", lambda: store_results.against_restarts_text(stored_against_restarts())),
        ("further_races", lambda: store_results.further_races_text(stored_further_races())),
        ("limits", lambda: store_results.limits_text(stored_limits())),
        ("noisy_walks", lambda: store_results.noisy_walks_text(stored_noisy_walks())),
        ("table2_rates", lambda: store_results.table2_rates_text(stored_table2_rates())),
        ("walks", lambda: store_results.walks_text([stored_walks(distance) for distance in DISTANCES])),
        ("tuning_itself", lambda: store_results.tuning_itself_text(stored_tuning_itself())),
    ],
)
def test_what_is_read_is_written_to_the_same_byte(name, text):
    assert text() == (files("hilladam.experiments") / f"{name}.json").read_text("utf-8")


def test_each_result_goes_into_its_file(tmp_path, monkeypatch):
    monkeypatch.setattr(store_results, "FOLDER", tmp_path)
    for name in store_results.RESULTS:
        assert (files("hilladam.experiments") / f"{name}.json").is_file()
        monkeypatch.setitem(store_results.RESULTS, name, lambda name=name: json.dumps(name))
    store_results.main(["table2_rates", "success_maps"])
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "table2_rates.json": '"table2_rates"',
        "success_maps.json": '"success_maps"',
    }


def test_numbers_are_read_to_the_last_digit():
    def rows(name):
        return json.loads((files("hilladam.experiments") / f"{name}.json").read_text("utf-8"))

    for row, found in zip(rows("again"), stored_again().values(), strict=True):
        for name, values in _again.measures_of(row).items():
            np.testing.assert_array_equal(found[name], values)
    for row, found in zip(rows("race"), stored_race().values(), strict=True):
        assert found.lr == row.get("lr") and found.tried == (row.get("tried") and {
            float(lr): count for lr, count in row["tried"].items()
        })  # fmt: skip
    for row, found in zip(rows("championship"), stored_championship().values(), strict=True):
        assert found.lr == (tuple(row["lr"]) if row.get("lr") else None)
    written, read = pd.DataFrame(rows("readings")), stored_readings()
    for column in ("mean_best", "sd_best", "mean_final", "low", "high", "gamma"):
        np.testing.assert_array_equal(read[column], written[column].astype(float))
