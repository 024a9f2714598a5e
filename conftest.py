"""What tests and notebooks share."""

pytest_plugins = ["rounding"]  # in tools
