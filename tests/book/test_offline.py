"""What the site brings from npm: fetched once and whole, the right bytes, and nothing outside its folder."""

import base64
import hashlib
import io
import subprocess
import sys
import tarfile
from pathlib import Path

import offline
import pytest

EXT = Path(offline.__file__).parent

# A fetch with an npm of our own: it writes the archive in two halves, with a pause in which another build looks.
FETCH = """
import pathlib, sys, time, types
import offline
archive, cache, sha512 = sys.argv[1:]

def npm(command, **_):
    whole = pathlib.Path(archive).read_bytes()
    with open(pathlib.Path(command[3], "some-package-1.0.0.tgz"), "wb") as file:
        file.write(whole[:100])
        file.flush()
        time.sleep(1)
        file.write(whole[100:])
    return types.SimpleNamespace(returncode=0)

offline.npm = npm
package = offline.Package("@some/package@1.0.0", sha512, root="", folder="some", wanted=("*",))
time.sleep(float(sys.stdin.readline()))
print(offline.fetch(package, pathlib.Path(cache)).read_bytes() == pathlib.Path(archive).read_bytes())
"""


def archive_of(path, *members):
    """Write an npm archive of these (member, content) pairs."""
    with tarfile.open(path, "w:gz") as tar:
        for member, content in members:
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


def package_of(archive, wanted=("*",)):
    sha512 = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    return offline.Package("@some/package@1.0.0", sha512, root="", folder="some", wanted=wanted)


def link(name, kind, target):
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


@pytest.fixture
def archive(tmp_path):
    return archive_of(tmp_path / "package.tgz", (tarfile.TarInfo("package/a.js"), bytes(range(256)) * 50))


def test_two_builds_at_once_both_get_the_whole_archive(archive, tmp_path):
    command = [sys.executable, "-c", FETCH, archive, tmp_path / "cache", package_of(archive).sha512]
    builds = [
        subprocess.Popen(command, cwd=EXT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE)
        for _ in range(2)
    ]  # fmt: skip
    for build, wait in zip(builds, ("0\n", "0.5\n"), strict=True):  # the second comes while the first is writing
        build.stdin.write(wait)
        build.stdin.flush()
    for build in builds:
        out, err = build.communicate(timeout=120)
        assert out == "True\n", err
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["some-package-1.0.0.tgz"]


def test_what_has_another_hash_is_refused_and_not_kept(archive, tmp_path, monkeypatch):
    def npm(command, **_):
        Path(command[3], "some-package-1.0.0.tgz").write_bytes(b"something else")
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(offline, "npm", npm)
    cache = tmp_path / "cache"
    for _ in range(2):
        with pytest.raises(SystemExit, match="does not have the hash"):
            offline.fetch(package_of(archive), cache)
        assert list(cache.iterdir()) == []


def test_an_archive_damaged_in_the_cache_is_refused_and_not_kept(archive, tmp_path):
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "some-package-1.0.0.tgz").write_bytes(archive.read_bytes()[:-1])
    with pytest.raises(SystemExit, match="does not have the hash"):
        offline.fetch(package_of(archive), cache)
    assert list(cache.iterdir()) == []


def test_what_is_wanted_is_unpacked_and_nothing_else(tmp_path):
    members = [(tarfile.TarInfo(f"package/{name}"), name.encode()) for name in ("a.js", "deep/b.js", "c.txt")]
    archive = archive_of(tmp_path / "package.tgz", *members)
    offline.unpack(package_of(archive, wanted=("*.js",)), archive, tmp_path / "vendor")
    files = {path.relative_to(tmp_path / "vendor"): path.read_text() for path in tmp_path.glob("vendor/**/*.*")}
    assert files == {Path("some/a.js"): "a.js", Path("some/deep/b.js"): "deep/b.js"}


@pytest.mark.parametrize(
    "member",
    [
        tarfile.TarInfo("package/../../outside.js"),
        tarfile.TarInfo("../outside.js"),
        tarfile.TarInfo("/{tmp}/outside.js"),
        link("package/outside.js", tarfile.SYMTYPE, "../../outside.js"),
        link("package/outside.js", tarfile.LNKTYPE, "../../outside.js"),
        link("package/outside.js", tarfile.FIFOTYPE, ""),
    ],
    ids=lambda member: f"{member.name} of type {member.type.decode()}",
)
def test_a_member_that_leaves_its_folder_is_refused(member, tmp_path):
    member.name = member.name.format(tmp=tmp_path)
    archive = archive_of(tmp_path / "package.tgz", (member, b"" if member.type != tarfile.REGTYPE else b"escaped"))
    with pytest.raises(SystemExit, match="no file in its folder"):
        offline.unpack(package_of(archive), archive, tmp_path / "vendor")
    assert not list(tmp_path.rglob("outside.js"))
