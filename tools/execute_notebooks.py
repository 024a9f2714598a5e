"""Run notebooks in place and store what they print, so that running them again changes no byte.

    python tools/execute_notebooks.py [NOTEBOOK ...]

Without arguments, all of them. It says of each how long it took and whether its file has changed.
"""

import asyncio
import base64
import io
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from PIL import Image

BOOK = Path(__file__).parents[1] / "book"
CELL_LIMIT, NOTEBOOK_LIMIT = 300, 1800  # seconds
WIDGET_STATE = "application/vnd.jupyter.widget-state+json"
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python", "pygments_lexer": "ipython3"},
}


def main(paths):
    for path in paths or sorted(p for p in BOOK.rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts):
        path = Path(path).resolve()
        start = time.perf_counter()
        text = run(path)
        seconds = time.perf_counter() - start
        changed = text != path.read_text()
        print(f"{path.relative_to(BOOK)}: {seconds:.1f} s, {'changed' if changed else 'as it was'}", flush=True)
        if changed:
            path.write_text(text)


def run(path):
    """Return the notebook's text with fresh outputs."""
    try:
        notebook = execute(path)
    except (RuntimeError, TimeoutError) as error:  # a kernel can hang or die through no fault of the notebook
        print(f"{path.relative_to(BOOK)}: {error or 'out of time'}; trying once more", flush=True)
        notebook = execute(path)
    for data in (output.data for cell in notebook.cells for output in cell.get("outputs", []) if "data" in output):
        if "image/png" in data:
            data["image/png"] = lighter(data["image/png"])
    state = notebook.metadata.get("widgets", {}).get(WIDGET_STATE, {}).get("state", {})
    notebook.metadata = METADATA | ({"widgets": notebook.metadata.widgets} if state else {})
    text = nbformat.writes(notebook)
    for number, model_id in enumerate(state):  # in the order in which the widgets were made
        text = text.replace(model_id, f"{number:032x}")
    return nbformat.writes(nbformat.reads(text, as_version=4)) + "\n"  # sorted by the new names


def lighter(png):
    """The drawing in its 256 most useful colours: a third of the bytes, white stays white, and an inch is an inch."""
    picture, file = Image.open(io.BytesIO(base64.b64decode(png))), io.BytesIO()
    few = picture.convert("RGB").quantize(256, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    few.save(file, "PNG", optimize=True, dpi=picture.info.get("dpi"))
    return base64.b64encode(file.getvalue()).decode()


def execute(path):
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=CELL_LIMIT,
        record_timing=False,
        coalesce_streams=True,
        resources={"metadata": {"path": str(path.parent)}},
        extra_arguments=["--log-level=ERROR"],
    )
    return asyncio.run(asyncio.wait_for(client.async_execute(), NOTEBOOK_LIMIT))


if __name__ == "__main__":
    main(sys.argv[1:])
