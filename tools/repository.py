"""The repository's address stands in `_config.yml`; the other files that name it follow, and so does the book's own.
The notebooks' set-up cells install the tag of the package's version.

python tools/repository.py https://github.com/OWNER/NAME    write a new address, and the version, everywhere
python tools/repository.py --check                          exit with 1 where a file names another one
"""

import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
FILES = ["_config.yml", "CHANGELOG.md", "CITATION.cff", "CONTRIBUTING.md", "README.md", "pyproject.toml"]

SETUP = """\
# In Colab, install the package; anywhere else, say how to if it is missing.
import importlib.util
import sys

if "google.colab" in sys.modules:
    %pip install --quiet --no-deps "git+{address}@v{version}"
elif not importlib.util.find_spec("hilladam"):
    raise ImportError(
        "This notebook needs the package hilladam. Install it, and start the kernel again:\\n"
        'pip install "hilladam[all] @ git+{address}@v{version}"'
    )"""


def main(argument):
    address = re.search(r"^repository:\n  url: (\S+)", (ROOT / "_config.yml").read_text(), re.M)[1]
    notebooks = [path for path in ROOT.glob("book/**/*.ipynb") if ".ipynb_checkpoints" not in path.parts]
    files = [ROOT / name for name in FILES]
    if argument == "--check":
        wrong = [path for path in files if not names_only(address, path)]
        wrong += [files[0]] if not all(line in files[0].read_text() for line in lines(address)) else []
        wrong += [path for path in notebooks if not begins_with(setup_cell(address), path)]
        sys.exit("\n".join(f"{path.relative_to(ROOT)} does not follow {address}" for path in wrong) or 0)
    old, new = (address, *lines(address)), (argument.rstrip("/"), *lines(argument.rstrip("/")))
    for path in files + notebooks:
        text = path.read_text()
        for found, wanted in zip(old, new, strict=True):
            text = text.replace(found, wanted)
        text = re.sub(rf"(git\+{re.escape(new[0])}@v)[\w.]+", rf"\g<1>{version()}", text)
        path.write_text(text)


def lines(address):
    """Return what `_config.yml` says of the book's own address, on the repository's GitHub Pages."""
    owner, name = address.split("/")[-2:]
    return f"baseurl: &address https://{owner.lower()}.github.io/{name}/", f"notfound_urls_prefix: /{name}/"


def names_only(address, path):
    """Whether the file has the address, and no other address of a repository of this name."""
    return set(re.findall(rf"https://[\w.-]+/[\w.-]+/{Path(address).name}\b", path.read_text())) == {address}


def begins_with(source, path):
    """Whether this is the notebook's first code cell."""
    cells = json.loads(path.read_text())["cells"]
    first = next(cell for cell in cells if cell["cell_type"] == "code")
    return "".join(first["source"]) == source and first["metadata"].get("tags") == ["remove-cell"]


def setup_cell(address):
    """Return the code that every notebook begins with."""
    return SETUP.format(address=address, version=version())


def version():
    return re.search(r'^__version__ = "(.+)"', (ROOT / "hilladam" / "__init__.py").read_text(), re.M)[1]


if __name__ == "__main__":
    if len(sys.argv) != 2 or not sys.argv[1].startswith(("https://", "--check")):
        sys.exit(__doc__)
    main(sys.argv[1])
