"""Where Chromium is, which prints the book and runs the tests of its pages."""

import shutil

# Debian has it also without windows, for programs alone, which takes half the time for a page.
NAMES = "chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"


def find():
    """Return the path of the first that is installed, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)
