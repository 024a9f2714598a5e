"""Where Chromium is, which prints the book and runs the tests of its pages."""

import shutil

NAMES = "chromium", "chromium-browser", "google-chrome"


def find():
    """Return the path of the first that is installed, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)
