"""Twelve pairs: amber sources, blue targets, and the truth."""

import numpy as np

from hilladam import colour
from hilladam.colour._pairs import PHOTOGRAPHS


def test_there_are_twelve_pairs_of_different_photographs():
    pairs = colour.pairs()
    assert len({pair.name for pair in pairs}) == len(pairs) == 12
    for pair in pairs:
        source, target = pair.name.split(" to ")
        assert source != target and {source, target} <= set(PHOTOGRAPHS)
        for image in (pair.source, pair.target, pair.original):
            assert image.shape == (256, 256, 3) and image.dtype == np.float64
            assert image.min() >= 0 and image.max() <= 1


def test_sources_are_amber_and_targets_blue():
    for pair in colour.pairs():
        red_over_blue = [means[0] / means[2] for means in map(colour.channel_means, (pair.source, pair.original))]
        assert red_over_blue[0] > 2 * red_over_blue[1]
        _, original = pair.name.split(" to ")
        true = next(p.original for p in colour.pairs() if p.name.startswith(original))
        means, truth = colour.channel_means(pair.target), colour.channel_means(true)
        assert means[2] / means[0] > 1.2 * truth[2] / truth[0]


def test_the_pictures_are_not_changed_by_a_caller():
    pair = colour.pairs()[0]
    assert not pair.source.flags.writeable
    np.testing.assert_array_equal(colour.apply_gains(pair.source, (1, 1, 1)), pair.source)


def test_every_photograph_names_its_licence():
    for credit in PHOTOGRAPHS.values():
        assert ", by " in credit and credit.endswith((", public domain", ", CC0"))
