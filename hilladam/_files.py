"""Files that are written wholly or not at all."""

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


@contextmanager
def replacing(path: str | Path) -> Iterator[BinaryIO]:
    """Open a file for writing that takes the place of ``path`` once all of it is written.

    Until then, and if anything goes wrong, what was there stays. A link stays a link: the file that it names is
    replaced. The new file has the mode of the old one, and its owner where that is allowed. What is no regular file,
    such as a pipe or ``/dev/null``, is written through.

    Raises:
        OSError: the file cannot be written.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from hilladam._files import replacing
        >>> folder = Path(tempfile.mkdtemp())
        >>> with replacing(folder / "a.txt") as file:
        ...     _ = file.write(b"all of it")
        >>> (folder / "a.txt").read_text()
        'all of it'
    """
    try:
        old = os.stat(path)
    except FileNotFoundError:
        old = None
    if old and not stat.S_ISREG(old.st_mode):
        with open(path, "wb") as file:
            yield file
        return
    target = Path(os.path.realpath(path))
    # Its own name, so that several writers never share a draft, and a short one, since the target's may be as long as
    # a name can be.
    draft = target.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with open(draft, "x+b") as file:
            if old:
                with suppress(OSError, AttributeError):  # not everybody may give a file away
                    os.chown(draft, old.st_uid, old.st_gid)
                os.chmod(draft, stat.S_IMODE(old.st_mode))
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, target)
    finally:
        draft.unlink(missing_ok=True)


def check_file(path: Path) -> None:
    """Refuse now what :func:`replacing` could not write later.

    Raises:
        OSError: says why.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        mode = None
    except OSError as error:
        raise OSError(f"{path}: {error.strerror}") from None
    if mode and not stat.S_ISREG(mode):
        if stat.S_ISDIR(mode) or stat.S_ISSOCK(mode):
            raise OSError(f"{path} is a {'folder' if stat.S_ISDIR(mode) else 'socket'}")
        if not os.access(path, os.W_OK):
            raise OSError(f"no permission to write to {path}")
        return
    folder = Path(os.path.realpath(path)).parent if path.is_symlink() else path.parent
    if not folder.is_dir():
        raise OSError(f"there is no folder {folder}")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OSError(f"no permission to write into the folder {folder}")
