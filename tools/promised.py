"""Print what pyproject.toml promises to work with, extras included: the requirements for pip, or their lower ends.

python tools/promised.py newest
python tools/promised.py lowest
"""

import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def main(end):
    for requirement in sorted(promised(ROOT / "pyproject.toml")):
        print(requirement.replace(">=", "==") if end == "lowest" else requirement)


def promised(file):
    """Return the requirements of the package and of all its extras, but for those that name other extras."""
    project = tomllib.loads(file.read_text())["project"]
    lists = project["dependencies"], *project["optional-dependencies"].values()
    return {line for lines in lists for line in lines if not line.startswith(project["name"])}


if __name__ == "__main__":
    if sys.argv[1:] not in (["newest"], ["lowest"]):
        sys.exit(__doc__)
    main(sys.argv[1])
