"""The API page leaves out no public name and no option of the command line, and its examples run."""

import doctest
import importlib
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from hilladam.__main__ import main
from hilladam.theory import Agreement

MODULES = ["optim", "losses", "colour", "theory", "experiments", "figures", "widgets"]


def page(site, name):
    return BeautifulSoup((site / "book" / f"{name}.html").read_text(), "html.parser")


@pytest.mark.parametrize("module", MODULES)
def test_every_public_name_has_an_entry(site, module):
    names = importlib.import_module(f"hilladam.{module}").__all__
    entries = page(site, f"api/{module}")
    missing = [n for n in names if not entries.find(id=[f"hilladam.{module}.{n}", f"hilladam.{n}"])]
    assert not missing


@pytest.mark.parametrize("module", MODULES)
def test_no_text_became_a_list_by_mistake(site, module):
    """A line that is but a letter and a full stop is the head of a list, and what follows "type:" alone has no text."""
    article = page(site, f"api/{module}").find("article")
    assert not [item.parent.parent.get_text() for item in article.select("li:empty")]
    assert not [text.get_text() for text in article.select("p:has(> ul, > ol)")]


@pytest.mark.parametrize("experiment", ["table1", "table2", "readings", "race", "championship", "again"])
def test_every_option_is_named(site, capsys, experiment):
    with pytest.raises(SystemExit):
        main([experiment, "--help"])
    options = {word.strip("[],.") for word in capsys.readouterr().out.split() if word.strip("[],.").startswith("--")}
    assert "--json" in options
    assert options - {"--help"} <= {
        code.text.split()[0] for code in page(site, "api").select("code") if code.text.strip()
    }


def test_its_examples_print_what_they_show():
    page = Path(__file__).parents[2] / "book" / "api.md"
    failed, tried = doctest.testfile(str(page), module_relative=False, encoding="utf-8")
    assert tried > 5 and not failed


def test_signatures_say_what_the_source_says(site):
    pages = [path.read_text() for path in (site / "book" / "api").glob("*.html")]
    text = "".join(BeautifulSoup(page, "html.parser").get_text() for page in pages)
    assert "apply_gains(image: ArrayLike, gains: ArrayLike)" in text and "image: str | Path | ArrayLike" in text
    assert "_NestedSequence" not in text and "delta: float = 1e-4" in text
    assert "RaceExplorer(*, course='mueller_brown', " in text and "*args: t.Any" not in text
    assert "(steps, members): the loss before each step" in text and "Type:" not in text


@pytest.mark.parametrize("module", MODULES)
def test_every_field_says_what_it_holds(site, module):
    """Of a named tuple's field without a sentence, Python says "Alias for field number 0"."""
    entries = page(site, f"api/{module}").select("dl:has(> dd)")
    assert not [entry.dt.get("id") for entry in entries if entry.dd.get_text().startswith("Alias for field number")]


def test_fields_stand_in_their_order(site):
    fields = page(site, "api/theory").select("dt[id^='hilladam.theory.Agreement.']")
    assert [field["id"].rpartition(".")[2] for field in fields] == list(Agreement._fields)
