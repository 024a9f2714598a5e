"""What a part of the package needs besides its dependencies, and how to get it."""

from collections.abc import Iterator
from contextlib import contextmanager


class MissingExtra(ModuleNotFoundError):
    """An optional dependency is not installed; the message says how to install it."""


@contextmanager
def extra(name: str) -> Iterator[None]:
    """Within this, a package that is not there is told with the extra that brings it.

    Args:
        name: of the extra, a key of ``[project.optional-dependencies]`` in ``pyproject.toml``.

    Raises:
        MissingExtra: where an import within finds no such package; a module of hilladam's own that is missing is a bug.

    Example:
        >>> from hilladam._extras import extra
        >>> with extra("figures"):
        ...     import no_such_plots
        Traceback (most recent call last):
        hilladam._extras.MissingExtra: no_such_plots is not installed: pip install 'hilladam[figures]'
    """
    try:
        yield
    except MissingExtra:
        raise
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in ("", "hilladam"):
            raise
        message = f"{package} is not installed: pip install 'hilladam[{name}]'"
        raise MissingExtra(message, name=error.name) from None
