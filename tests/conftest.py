import os
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import Phase, settings

ROOT = Path(__file__).parents[1]
JUPYTER_BOOK = Path(sys.executable).with_name("jupyter-book")

# The same examples every time, however slow the machine.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")
# A mutant that is noticed need not be noticed by the shortest example, the search for which takes minutes.
settings.register_profile("mutants", settings.get_profile("steady"), phases=[Phase.explicit, Phase.generate])


@pytest.fixture(scope="session", autouse=True)
def attentive():
    """Let Ctrl-C be heard, which a shell's background jobs, and what they start, ignore; and `nohup` by tests alone."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, lambda *_: None)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="session")
def build():
    """Run `jupyter-book build .` in a folder, optionally with its output elsewhere."""

    def run(folder, *options):
        command = [JUPYTER_BOOK, "build", ".", *options]
        return subprocess.run(command, cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    return run


@pytest.fixture(scope="session")
def site(build, tmp_path_factory):
    """The folder of the book's pages, built from nothing once for all tests that read them."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent  # of all processes of this run; the first to come builds
    output, built = shared / "book", shared / "book-is-built"
    with FileLock(shared / "book.lock"):
        if not built.exists():
            done = build(ROOT, "--path-output", output)
            assert done.returncode == 0, done.stdout
            built.touch()
    return output / "_build" / "html"


@pytest.fixture
def copy_of(tmp_path):
    """Copy some of the project's files and folders, for a test that changes them, and return where they are."""

    def copy(*names):
        for name in names:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, tmp_path / name)
        return tmp_path

    return copy


@pytest.fixture
def device(tmp_path):
    """Make a device like `/dev/null` or `/dev/full`, so that no mistake of the code under test harms the real one."""

    def make(name):
        path = tmp_path / name
        try:
            os.mknod(path, stat.S_IFCHR | 0o666, os.stat(f"/dev/{name}").st_rdev)
            path.open("wb").close()
        except PermissionError:  # who may make no device may not replace the real one either
            path.unlink(missing_ok=True)
            path.symlink_to(f"/dev/{name}")
        return path

    return make
