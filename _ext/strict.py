"""Warnings fail the build, however it is started: what `-W --keep-going` does, without having to be remembered."""

from pathlib import Path


def setup(app):
    app.keep_going = True
    app.connect("build-finished", forget_failure)
    return {"parallel_read_safe": True}


def forget_failure(app, _error):
    """Have the next build read everything again: an incremental one would not repeat the warnings, and pass."""
    if app._warncount:
        Path(app.doctreedir, "environment.pickle").unlink(missing_ok=True)
