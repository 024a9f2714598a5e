"""In a real JupyterLab an explorer's picture changes when a control is moved, and readers' notebooks can be read."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import expect

BOOK = Path(__file__).parents[2] / "book"
EXPLORERS = [  # a chapter and the explorer there; that of the index has a test of its own
    ("hill-adam/algorithm", "HillExplorer"),
    ("neighbours/annealing", "HeatExplorer"),
]
OPTIONS = {
    "ServerApp.allow_root": True,
    "ServerApp.port": 0,  # any that is free
    "ServerApp.open_browser": False,
    "LabApp.expose_app_in_browser": True,
    "LabApp.extension_manager": "readonly",
}
NO_NEWS = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
RUN = """() => {
    const {commands, shell: {currentWidget: notebook}} = window.jupyterapp;
    const late = new Promise((_, fail) => setTimeout(fail, 60_000, new Error("the cells do not end")));
    const ready = Promise.all([notebook.revealed, notebook.context.ready, notebook.sessionContext.ready]);
    return Promise.race([late, ready.then(() => commands.execute("notebook:run-all-cells"))]);
}"""
# What the explorer shows: its drawings, and the bytes of its pictures.
SHOWN = """output => Promise.all([...output.querySelectorAll("img, svg")].map(async shown =>
    shown.src ? new Uint8Array(await (await fetch(shown.src)).arrayBuffer()).join() : shown.outerHTML))"""


# What an expression is in the notebook's kernel, as text.
ASK = """async (expression) => {
    const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
    const reply = await kernel.requestExecute({code: "", user_expressions: {it: expression}}).done;
    return reply.content.user_expressions.it.data["text/plain"];
}"""


@pytest.fixture(scope="module")
def lab(browser, tmp_path_factory):
    """An address under which JupyterLab opens a notebook, and the folder to put that into."""
    folder = tmp_path_factory.mktemp("lab")
    own = {name: str(folder / name.lower()) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR")}
    runtime, notebooks, log = folder / "runtime", folder / "notebooks", folder / "log"
    notebooks.mkdir()
    settings = folder / "jupyter_config_dir" / "labconfig" / "page_config.json"
    settings.parent.mkdir(parents=True)
    settings.write_text(json.dumps(NO_NEWS))
    command = [sys.executable, "-m", "jupyterlab", *(f"--{name}={value}" for name, value in OPTIONS.items())]
    with log.open("w") as file:
        server = subprocess.Popen(command, cwd=notebooks, env=os.environ | own | {"JUPYTER_RUNTIME_DIR": str(runtime)},
                                  stdin=subprocess.DEVNULL, stdout=file, stderr=file)  # fmt: skip
    try:
        deadline = time.monotonic() + 60
        while not (ready := [*runtime.glob("jpserver-*.json")]):
            assert server.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        about = json.loads(ready[0].read_text())
        yield f"{about['url']}lab/tree/{{}}?reset&token={about['token']}", notebooks
    finally:
        server.terminate()  # shuts its kernels down
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:  # a kernel ends itself when its server is gone
            server.kill()
            server.wait()


@pytest.fixture
def page(lab, browser):
    """A page that reaches JupyterLab alone."""
    own = lab[0].partition("lab/")[0]
    with browser.new_page(viewport={"width": 1360, "height": 1400}) as page:
        page.route(lambda url: url.startswith("http") and not url.startswith(own), lambda route: route.abort())
        yield page


def cut(chapter, explorer):
    """The chapter without all cells but the first two, which set it up, and the explorer's."""
    notebook = nbformat.read(BOOK / f"{chapter}.ipynb", as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    shows = next(number for number, cell in enumerate(cells) if f"{explorer}(" in cell.source)
    notebook.cells = [cells[number] for number in sorted({0, 1, shows})]
    notebook.metadata.pop("widgets", None)
    for cell in notebook.cells:
        cell.outputs, cell.execution_count = [], None
    return notebook


def follows(lab, page, chapter, explorer):
    """See that an explorer's picture changes when its first control is moved, and return the explorer."""
    address, folder = lab
    nbformat.write(cut(chapter, explorer), folder / f"{explorer}.ipynb")
    page.goto(address.format(f"{explorer}.ipynb"))
    page.wait_for_function("window.jupyterapp?.shell.currentWidget?.sessionContext")
    page.evaluate(RUN)
    assert page.locator("[data-mime-type='application/vnd.jupyter.stderr']").all_inner_texts() == []
    output = page.locator(".jp-OutputArea").last
    control = output.locator("input[type=range], .noUi-handle").first
    expect(control).to_be_visible()
    before = output.evaluate(SHOWN)
    assert before and output.evaluate(SHOWN) == before

    control.focus()
    page.keyboard.press("ArrowRight")
    deadline = time.monotonic() + 20
    while output.evaluate(SHOWN) == before:
        assert time.monotonic() < deadline, "the picture stays as it was"
        page.wait_for_timeout(100)
    return output


@pytest.mark.parametrize("chapter, explorer", EXPLORERS)
def test_an_explorer_follows_its_control(lab, page, chapter, explorer):
    follows(lab, page, chapter, explorer)


def test_an_explorer_and_its_python_object_are_one(lab, page):
    """What the reader moves can be read in a cell, and what a cell sets moves in the page."""
    output = follows(lab, page, "index", "BarCodeExplorer")
    rate, start = output.get_by_role("slider", name="step size λ"), output.get_by_role("slider", name="start")
    rate.focus()
    page.keyboard.press("ArrowRight")
    deadline = time.monotonic() + 20
    while page.evaluate(ASK, "hill.lr") != rate.get_attribute("aria-valuetext"):
        assert time.monotonic() < deadline, "Python does not hear of it"
        page.wait_for_timeout(100)
    page.evaluate(ASK, "setattr(hill, 'start', -0.4)")
    expect(start).to_have_attribute("aria-valuetext", re.compile("^x = −0.4:"))


# What stands in the text as it was typed, and what MathJax could not set.
RAW = """() => [...document.querySelectorAll(".jp-MarkdownOutput")].flatMap(output => {
    const text = output.cloneNode(true);
    text.querySelectorAll("mjx-container, pre, code").forEach(part => part.remove());
    return [...output.querySelectorAll("mjx-merror")].map(error => error.title)
        .concat(text.textContent.match(/.{0,40}(?:[$]|[\\\\][a-z]|[{}]|:::|[*]{2}).{0,40}/g) ?? []);
})"""


@pytest.mark.parametrize("chapter", ["adam/adam-as-a-series", "hill-adam/algorithm"])
def test_a_readers_notebook_is_set(lab, page, site, chapter):
    address, folder = lab
    shutil.copy(site / "_sources" / "book" / f"{chapter}.ipynb", folder / "readers.ipynb")
    page.goto(address.format("readers.ipynb"))
    expect(page.locator(".jp-MarkdownOutput mjx-container").first).to_be_visible()
    solution = page.locator(".jp-MarkdownCell", has=page.get_by_role("heading", name="Solution to Exercise")).first
    solution.scroll_into_view_if_needed()
    expect(solution.get_by_text("cells hidden")).to_be_visible()
    expect(page.locator("blockquote strong").first).to_contain_text(re.compile(r"^(Theorem|Proposition) [\d.]+ \("))
    assert page.evaluate(RAW) == []
