"""What an address says of an explorer, and what it may not say."""

import math

import numpy as np

from hilladam.widgets import ColourExplorer, HillExplorer, PhaseExplorer, SeriesExplorer

READ = """
import { readAddress, writeAddress } from "./address.js";
const plain = (map) => [...map].map(([name, words]) => [name, [...words]]);
export default (hashes) => hashes.map((hash) => [plain(readAddress(hash)), writeAddress(readAddress(hash))]);
"""
VALUES = """
import { textOf, valueOf } from "./address.js";
export default (cases) => cases.map(([text, spec]) => {
  const value = valueOf(text, spec);
  return [value === undefined ? "refused" : value, value === undefined ? null : textOf(value)];
});
"""
BACK = """
import { textOf, valueOf } from "./address.js";
export default (cases) => cases.map(([value, spec]) => {
  const back = valueOf(textOf(value), spec);
  return back === undefined ? "refused" : back;
});
"""


def test_reads_what_it_writes(node):
    whole = "#fig-a:lr=0.02&hide=delta,gamma;series-2:t=5"
    hashes = [whole, "", "#a-place", "#fig-a:", "#:lr=1", "#fig a:lr=1", "#" + 9000 * "a"]
    ((read, written), *others) = node(READ, hashes)
    assert read == [["fig-a", [["lr", "0.02"], ["hide", "delta,gamma"]]], ["series-2", [["t", "5"]]]]
    assert written == whole
    for found, again in others:
        assert all(words == [] for _, words in found) and again == ""


TAKEN = [
    ("0.02", "lr", 0.02), ("2e-2", "lr", 0.02), ("0", "lr", 0), ("1e6", "lr", 1e6), ("1000001", "lr", "refused"),
    ("-0.1", "lr", "refused"), ("inf", "lr", "refused"), ("inf", "gamma", None), ("-inf", "gamma", "refused"),
    ("NaN", "gamma", "refused"), ("1e999", "gamma", "refused"), ("0x10", "gamma", "refused"), ("", "gamma", "refused"),
    ("300", "steps", 300), ("3e2", "steps", 300), ("300.5", "steps", "refused"), ("5001", "steps", "refused"),
    ("Adam,NAdam", "optimizers", ["Adam", "NAdam"]), ("", "optimizers", []), ("SGD", "optimizers", "refused"),
    ("Adam,", "optimizers", "refused"), ("%28x%5E2", "loss", "(x^2"), ("%", "loss", "refused"),
    (501 * "x", "loss", "refused"),
]  # fmt: skip


def test_takes_what_the_trait_may_be(node):
    settings = HillExplorer().settings
    found = node(VALUES, [[text, settings[trait]] for text, trait, _ in TAKEN])
    for (value, _), (text, trait, expected) in zip(found, TAKEN, strict=True):
        assert value == expected, (trait, text)


def test_lists_have_their_lengths(node):
    gradients, cell = SeriesExplorer().settings["gradients"], PhaseExplorer().settings["cell"]
    cases = [(",".join(["1"] * length), gradients) for length in (40, 41)]
    cases += [(text, cell) for text in ("1,2", "1", "1,99")]
    assert [found != "refused" for found, _ in node(VALUES, cases)] == [True, False, True, False, False]


def test_a_table_has_its_keys(node):
    rates = {"type": "table", "keys": ["Adam", "Hill-ADAM"], "of": {"type": "number", "min": 0}}
    texts = ["Adam:0.1,Hill-ADAM:1e-3", "Adam:-1", "Adam", "SGD:1", "__proto__:1", ":1", "Adam:0.1,"]
    taken = [found != "refused" for found, _ in node(VALUES, [[text, rates] for text in texts])]
    assert taken == [True] + [False] * 6


def test_every_value_comes_back_to_the_last_bit(node):
    random = np.random.default_rng(0)
    numbers = random.integers(0, 2**64, 2000, dtype=np.uint64).view(float)  # any bits, so that every size occurs
    numbers = numbers[np.isfinite(numbers)].tolist()
    texts = ["".join(map(chr, random.integers(1, 0xD800, 20))) for _ in range(200)] + ["", "&=;:,#%25+ '()*~!"]
    lists = {"type": "list", "of": {"type": "text"}}
    cases = [[text, {"type": "text"}] for text in texts] + [[texts[:-2], lists], [[], lists]]
    cases += [[None, {"type": "number"}], [True, {"type": "boolean"}], [False, {"type": "boolean"}]]
    rates = {"type": "table", "keys": ["Adam", "Hill-ADAM"], "of": {"type": "number", "min": 0}}
    cases += [[{"Adam": 0.1, "Hill-ADAM": 1 / 3}, rates], [{}, rates]]
    assert node(BACK, cases) == [value for value, _ in cases]
    back = node(BACK, [[number, {"type": "number"}] for number in numbers])
    assert list(map(float, back)) == numbers


def test_all_that_a_reader_sets_can_stand_in_an_address():
    for explorer in (HillExplorer(), SeriesExplorer(), PhaseExplorer(), ColourExplorer()):
        assert set(explorer.settings) == set(explorer.trait_names(setting=True)) - {"task"}
    assert HillExplorer().settings["lr"] == {"type": "number", "min": 0, "max": 1e6}
    assert not math.isfinite(HillExplorer.gamma.max) and "max" not in HillExplorer().settings["gamma"]
