"""A file is written wholly or not at all, and what stands in its place is respected."""

import os
import stat
import subprocess
import sys
import threading

import pytest

from hilladam._files import replacing


def write(path, content=b"new"):
    with replacing(path) as file:
        file.write(content)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    return path


def test_what_is_written_is_there_and_nothing_else(file):
    write(file)
    assert file.read_bytes() == b"new"
    assert os.listdir(file.parent) == [file.name]


def test_until_all_is_written_the_old_file_is_there_and_after_an_error_too(file):
    with pytest.raises(ZeroDivisionError), replacing(file) as new:
        new.write(b"half")
        new.flush()
        assert file.read_bytes() == b"old"
        raise ZeroDivisionError
    assert file.read_bytes() == b"old"
    assert os.listdir(file.parent) == [file.name]


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o444])
def test_a_file_keeps_its_mode(file, mode):
    file.chmod(mode)
    write(file)
    assert stat.S_IMODE(file.stat().st_mode) == mode
    assert file.read_bytes() == b"new"


def test_a_new_file_has_the_mode_that_any_new_file_has(tmp_path):
    (tmp_path / "other").touch()
    write(tmp_path / "file")
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_a_file_keeps_its_owner(file):
    if os.geteuid():
        pytest.skip("only root gives files away")
    os.chown(file, 12345, 23456)
    file.chmod(0o640)
    write(file)
    new = file.stat()
    assert (new.st_uid, new.st_gid, stat.S_IMODE(new.st_mode)) == (12345, 23456, 0o640)


@pytest.mark.parametrize("exists", [True, False])
def test_a_link_stays_a_link_and_its_target_is_replaced(tmp_path, exists):
    (tmp_path / "elsewhere").mkdir()
    target, link = tmp_path / "elsewhere" / "file", tmp_path / "link"
    if exists:
        target.write_bytes(b"old")
    link.symlink_to("elsewhere/file")
    write(link)
    assert link.is_symlink() and target.read_bytes() == b"new"
    assert os.listdir(target.parent) == ["file"]


def test_a_pipe_is_written_through(tmp_path):
    pipe, got = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()), daemon=True)
    reader.start()
    write(pipe)
    reader.join(20)
    assert got == [b"new"] and stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_device_is_written_through(device):
    null = device("null")
    write(null)
    assert null.is_char_device()


def test_a_full_device_is_an_error(device):
    with pytest.raises(OSError, match="No space left"):
        write(device("full"))


def test_a_name_may_be_as_long_as_names_can_be(tmp_path):
    longest = os.pathconf(tmp_path, "PC_NAME_MAX")
    write(tmp_path / ("é" * (longest // 2) + "a" * (longest % 2)))
    with pytest.raises(OSError, match="name too long"):
        write(tmp_path / ("a" * (longest + 1)))


WRITER = """
import sys
from hilladam._files import replacing
for _ in range(30):
    with replacing(sys.argv[1]) as file:
        for _ in range(100):
            file.write(sys.argv[2].encode() * 1000)
            file.flush()
"""


def test_writers_at_the_same_time_do_not_mix(tmp_path):
    file = tmp_path / "file"
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, file, letter]) for letter in "abc"]
    seen = set()
    while any(writer.poll() is None for writer in writers):
        if file.exists():
            content = file.read_bytes()
            assert len(content) == 100_000 and len(set(content)) == 1
            seen.add(content[:1])
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    assert seen
    assert os.listdir(tmp_path) == ["file"]
