"""Rerun the paper's experiments from a shell: ``python -m hilladam table1 --help``."""

import io
import os
import signal
import sys
import warnings
from contextlib import redirect_stderr, suppress
from pathlib import Path
from typing import TextIO

import torch

from hilladam._arguments import parser
from hilladam._commands import Result, to_json, write_json
from hilladam._extras import MissingExtra

WRONG, INTERRUPTED, UNREAD = 2, 130, 141
"""Exit statuses besides 0: argparse's own, that of Ctrl-C, and that of a pipe that nobody reads any more."""


def main(arguments: list[str] | None = None) -> int:
    """Run one experiment, write its files, show its table, and return the exit status."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    with redirect_stderr(_Tolerant(sys.stderr or open(os.devnull, "w"))):
        return _main(arguments)


def _main(arguments: list[str] | None) -> int:
    options = parser().parse_args(arguments)
    torch.set_num_threads(options.threads)
    result: Result | None = None
    try:
        results = options.run(options)
    except KeyboardInterrupt as interruption:
        return _deliver_part(None, options.json, interruption)
    except (ValueError, OSError, MissingExtra) as error:
        _say(f"hilladam: {error}")
        return WRONG
    try:
        with warnings.catch_warnings():  # what an interrupted training returns is not complete
            warnings.filterwarnings("error", "Interrupted", RuntimeWarning)
            for so_far in results:
                result = so_far
    except BaseException as error:
        return _deliver_part(result, options.json, error)
    assert result  # each experiment yields the whole in the end
    return _deliver(result, options.json)


def _deliver(result: Result, target: Path | TextIO | None) -> int:
    """Write first and show then, so that no file hangs on who reads the table. Return the exit status."""
    status, unsent, stream = 0, 0, sys.stdout
    files = dict(result.files)
    if isinstance(target, Path):
        files = {target: lambda: write_json(target, result.rows)} | files
    elif target:
        status = unsent = _send(to_json(result.rows), target)
        stream = sys.stderr if target is sys.stdout else sys.stdout
    missing = list(files)
    try:
        for path, write in files.items():
            try:
                write()
                missing.remove(path)
            except OSError as error:
                _say(f"hilladam: cannot write {path}: {error.strerror or error}")
                status = WRONG
    except KeyboardInterrupt:
        status = INTERRUPTED
        _say(f"\nInterrupted while files were written; missing: {', '.join(map(str, missing))}.")
    finally:
        table = result.rows if unsent or target in missing else result.table
        text = table.to_string(float_format="{:.4f}".format) + "\n"
        shown = _send(text, stream)
        if shown == WRONG:
            _say(text)
    return status or shown


def _deliver_part(result: Result | None, target: Path | TextIO | None, error: BaseException) -> int:
    """Show what is complete of a work that ended before its time, and raise the error if it is a bug.

    It is written beside the file that was asked for, which may be a whole result of an earlier run.
    """
    part, told = None, "nothing was complete, nothing was written"
    if result:
        if isinstance(target, Path) and (target.is_file() or not target.exists()):
            part = target.with_name(f"{target.stem}.interrupted{target.suffix}")
        told = f"{result.complete}; the table is of that" + (f", and so is {part}" if part else "")
        _deliver(Result(result.table, result.rows, result.complete), part)
    if isinstance(error, KeyboardInterrupt) or (isinstance(error, RuntimeWarning) and "Interrupted" in str(error)):
        _say(f"\nInterrupted: {told}.")
        return INTERRUPTED
    if isinstance(error, MemoryError | torch.OutOfMemoryError) or "allocate memory" in str(error):
        _say(f"\nhilladam: there is not enough memory: {told}.")
        return WRONG
    if result:
        _say(f"\nhilladam: an error ended the work: {told}.")
    raise error


def _send(content: str | bytes, stream: TextIO | None) -> int:
    """Write to a standard stream, and return the exit status."""
    try:
        if stream is None:
            raise OSError("it is closed")
        if isinstance(content, bytes):
            stream.buffer.write(content)
        else:
            stream.write(content)
        stream.flush()
        return 0
    except OSError as error:
        if stream:  # Python tries once more when it ends: let what is left go nowhere
            with suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        if isinstance(error, BrokenPipeError):
            return UNREAD
        _say(f"hilladam: cannot write to standard output: {error.strerror or error}")
        return WRONG


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


class _Tolerant:
    """A stream that nobody needs to read: work does not end where its progress cannot be shown."""

    def __init__(self, stream: TextIO):
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()

    def __getattr__(self, name: str):
        return getattr(self._stream, name)


if __name__ == "__main__":
    for name in ("SIGTERM", "SIGHUP"):  # a batch system's time limit and a connection that is lost are a Ctrl-C
        number = getattr(signal, name, None)
        if number and signal.getsignal(number) is signal.SIG_DFL:  # nohup ignores the second one
            signal.signal(number, signal.default_int_handler)
    sys.exit(main())
