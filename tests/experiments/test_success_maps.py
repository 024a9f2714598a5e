"""The stored maps of success are what the engine counts, and what the law says."""

import base64
import json
import zlib

import numpy as np
import pytest

from hilladam.experiments import MAPPED, stored_success_maps, success_map
from hilladam.experiments._success_maps import _pack
from hilladam.losses import DOUBLE_WELL, SINE_WAVE
from hilladam.theory import climb, hill, hills, turns

pytest.importorskip("numba")


@pytest.mark.parametrize("name", MAPPED)
def test_a_part_counted_again_is_what_is_stored(name):
    stored = stored_success_maps()[name]
    assert stored.counts.shape == (len(stored.delta), len(stored.lr)) == (100, 100)
    rows, columns = np.array([20, 45, 70, 95]), np.array([10, 35, 50, 65])
    again = success_map(name, stored.lr[columns], stored.delta[rows], threads=2).counts
    kept = stored.counts[np.ix_(rows, columns)]
    assert again.max() > 0
    if name == "sine wave":  # its sines are the machine's
        assert np.abs(again.astype(int) - kept).max() <= 3
    else:
        np.testing.assert_array_equal(again, kept)


def test_what_is_packed_is_read_back():
    maps = stored_success_maps()
    packed = json.loads(_pack(maps))
    assert packed.keys() == maps.keys() == MAPPED.keys()
    for name, text in packed.items():
        assert zlib.decompress(base64.b64decode(text)) == maps[name].counts.tobytes()


def test_the_compiled_sine_wave_is_the_loss():
    from hilladam.experiments._compiled_sine_wave import best_losses, evaluate

    x = np.linspace(-2, 14, 501)
    both = np.array([evaluate(place) for place in x])
    np.testing.assert_allclose(both[:, 0], SINE_WAVE(x), atol=1e-12)
    np.testing.assert_allclose(both[:, 1], SINE_WAVE.derivative(x), atol=1e-10)
    start, lr = np.linspace(2.7, 4.4, 40), 0.05
    best = best_losses(start, np.full(40, lr), np.full(40, 1e-3), 200.0, (0.9, 0.999), 1e-8, 800)
    run = turns(SINE_WAVE, start, lr, 1e-3, 200.0, count=30)
    within = run.steps.cumsum(axis=0) < 800
    lowest = np.where(within, SINE_WAVE(np.nan_to_num(run.x)), np.inf).min(axis=0)
    assert ((best < 0.5) == (lowest < 0.5)).mean() > 0.9
    assert 0 < (best < 0.5).sum() < 40


def test_nothing_succeeds_above_twice_the_law():
    """Where the top binds; on the sine wave the bottom does, which is kinder to a turn farther from the minimum."""
    stored = stored_success_maps()
    for name, over, least in (("double well", hills(DOUBLE_WELL)[1], 2.0), ("sine wave", None, 3.5)):
        over = over or hill(SINE_WAVE, 3.483, 4.586)
        found = stored[name]
        above = found.delta[:, None] > least * over.largest_delta(found.lr)
        small = found.lr < 0.1 * over.width
        assert (found.counts[above & small] == 0).all()
        below = found.delta[:, None] < 0.5 * over.largest_delta(found.lr)
        assert (found.counts[below & small] > 0).mean() > 0.7


def test_a_success_is_a_climb_across():
    over = hills(DOUBLE_WELL)[1]
    found = success_map("double well", [0.02], [1e-6, 1e-4, 1e-2]).counts[:, 0]
    up = climb(DOUBLE_WELL, over.minimum - 0.02 * np.linspace(0.05, 2, 20), over.top, 0.02)
    assert (found > 0).tolist() == up.crosses([1e-6, 1e-4, 1e-2]).any(axis=1).tolist()


def test_a_name_that_is_none_is_refused():
    with pytest.raises(KeyError, match="triple well"):
        success_map("triple well")
