"""Readers' notebooks, which the site offers for download: whole, and readable where nobody knows MyST."""

import re
from pathlib import Path
from urllib.parse import unquote, urldefrag

import nbformat
import pytest
import yaml
from bs4 import BeautifulSoup
from nbconvert import HTMLExporter
from readers import pieces, quotation

ROOT = Path(__file__).parents[2]
ADDRESS = yaml.safe_load((ROOT / "_config.yml").read_text())["html"]["baseurl"]
NOTEBOOKS = sorted(path for path in ROOT.glob("book/**/*.ipynb") if ".ipynb_checkpoints" not in path.parts)
OF_MYST = re.compile(r"\{[\w:-]+\}`|^\s*(?:`{3,}|:{3,})\{|^\([\w-]+\)=|\$\$ *\([\w-]+\)|\]\((?!https://)", re.M)


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: str(path.relative_to(ROOT)))
def both(request, site):
    """A chapter of the book, and what readers get of it."""
    path = site / "_sources" / request.param.relative_to(ROOT)
    return tuple(nbformat.read(each, as_version=4) for each in (request.param, path))


def texts(notebook):
    return [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]


def test_its_code_and_outputs_are_the_chapters(both):
    code = [[(c.id, c.source, c.outputs) for c in notebook.cells if c.cell_type == "code"] for notebook in both]
    assert code[0] == code[1]
    nbformat.validate(both[1])


def test_it_holds_nothing_that_only_myst_knows(both):
    assert not [found[0] for text in texts(both[1]) for found in OF_MYST.finditer(text)]
    assert any(OF_MYST.search(text) for text in texts(both[0]))


def test_every_figure_has_its_caption_and_its_text_alternative_under_it(both):
    figures = {c.id: c.metadata.mystnb.figure.name for c in both[0].cells if "mystnb" in c.metadata}
    numbers = []
    for cell, after in zip(both[1].cells, both[1].cells[1:], strict=False):
        if cell.id in figures:
            numbers.append(re.match(r"\*\*Fig\. ([\d.]+)\.\*\* ", after.source)[1])
            assert len(re.search("<summary>.*</summary>(.*)</details>", after.source, re.S)[1]) > 40
    assert len(numbers) == len(figures) == len(set(numbers))


def test_its_equations_theorems_and_exercises_are_numbered_as_on_the_site(both, site, request):
    source, text = ("\n".join(texts(notebook)) for notebook in both)
    page = site / request.node.callspec.params["both"].relative_to(ROOT).with_suffix(".html")
    soup = BeautifulSoup(page.read_text(), "html.parser").find("article")
    equations = [number.next.strip(" ()") for number in soup.select(".eqno")]
    assert re.findall(r"\\tag\{([\d.]+)\}", text) == equations
    named = [title.text.strip() for title in soup.select(".proof .caption-number, .exercise .caption-number")]
    kinds = "Algorithm|Corollary|Definition|Lemma|Proposition|Theorem"
    found = re.findall(rf"^(?:(?:> )?\*\*(?={kinds})|#+ (?=Exercise))(\w+ [\d.]*\d)", text, re.M)
    assert found == named
    assert text.count("Solution to") == len(re.findall(r"^[`:]{3,}\{solution(?:-start)?\}", source, re.M))


def test_it_begins_with_what_to_install(both):
    first, code = both[1].cells[0].source, next(c.source for c in both[1].cells if c.cell_type == "code")
    [command] = re.findall(r"^pip install .*$", first, re.M)
    assert command in code


def test_its_links_lead_to_pages_and_places_of_the_site(both, site):
    links = [link for text in texts(both[1]) for link in re.findall(rf"\]\(({re.escape(ADDRESS)}[^)]*)\)", text)]
    assert links
    for link in links:
        path, fragment = urldefrag(link.removeprefix(ADDRESS))
        page = (site / (path or "index.html")).read_text()
        assert not fragment or f'id="{unquote(fragment)}"' in page, link


def test_a_solution_that_holds_code_is_folded_and_takes_nothing_else_with_it(both):
    cells = both[1].cells
    folded = [cell.id for cell in cells if cell.metadata.get("jp-MarkdownHeadingCollapsed")]
    assert folded == both[1].metadata.colab.collapsed_sections
    headed = [cell for cell in cells if cell.cell_type == "markdown" and re.match("#+ ", cell.source)]
    assert folded == [cell.id for cell in headed if "Solution to" in cell.source.partition("\n")[0]]
    levels = [len(cell.source.partition(" ")[0]) for cell in headed]
    for cell, level, after in zip(headed, levels, levels[1:], strict=False):
        assert cell.id not in folded or after <= level


def test_nbconvert_reads_it(site):
    notebook = nbformat.read(site / "_sources" / "book" / "hill-adam" / "algorithm.ipynb", as_version=4)
    soup = BeautifulSoup(HTMLExporter().from_notebook_node(notebook)[0], "html.parser")
    prose = soup.select(".jp-RenderedMarkdown")
    assert any(quote.text.strip().startswith("Proposition") for quote in soup.select("blockquote"))
    assert any("need" in row.text for row in soup.select(".jp-RenderedMarkdown table tr"))
    assert all(details.find("p") for details in soup.select("details"))
    assert not [text for part in prose for text in part.find_all(string=re.compile(r"^\s*(\||>|#|`{3}|\*\*)"))]


def test_fences_within_fences_stay_together():
    text = "Before.\n\n````{solution} a\n:class: dropdown\n\n```python\nx\n```\nSo.\n````\nAfter."
    assert list(pieces(text, "page")) == [
        (None, "", {}, "Before.\n"),
        ("solution", "a", {"class": "dropdown"}, "```python\nx\n```\nSo."),
        (None, "", {}, "After."),
    ]


def test_a_formula_in_a_quotation_takes_one_line():
    assert quotation("Let\n\n$$\na\n= b\n$$\n\nbe.") == "> Let\n>\n> $$ a = b $$\n>\n> be."
