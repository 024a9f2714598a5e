"""Whatever a photograph comes as, it is read right or refused by name."""

import io
import struct
import time
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from hilladam import colour

RNG = np.random.default_rng(0)
PICTURE = RNG.integers(0, 256, (40, 60, 3), dtype=np.uint8)


def stored(image, name, tmp_path, **options):
    Image.fromarray(image).save(tmp_path / name, **options)
    return tmp_path / name


def test_a_png_comes_back_exactly(tmp_path):
    path = stored(PICTURE, "a.png", tmp_path)
    for given_as in (path, str(path), PICTURE):
        image = colour.load(given_as, size=None)
        assert image.dtype == np.float64
        np.testing.assert_array_equal(image, PICTURE / 255)


def test_a_jpeg_comes_back_nearly(tmp_path):
    smooth = np.linspace(0, 255, 64)[:, None, None] * np.ones((1, 64, 3))
    path = stored(smooth.astype(np.uint8), "a.jpg", tmp_path, quality=95)
    np.testing.assert_allclose(colour.load(path, size=None), smooth / 255, atol=0.02)


@pytest.mark.parametrize("shape", [(40, 60), (60, 40), (33, 33), (8, 500), (1, 1)])
def test_the_middle_square_is_resized(shape):
    image = colour.load(np.full((*shape, 3), [0.2, 0.5, 0.7]), size=16)
    assert image.shape == (16, 16, 3)
    np.testing.assert_allclose(image, np.broadcast_to([0.2, 0.5, 0.7], image.shape), atol=1e-6)
    # What lies outside the middle square has no part in it.
    side, edges = min(shape), np.zeros((*shape, 3))
    top, left = (shape[0] - side) // 2, (shape[1] - side) // 2
    edges[top : top + side, left : left + side] = 1
    np.testing.assert_array_equal(colour.load(edges, size=16), 1)


def test_every_pixel_has_a_part_in_a_smaller_picture():
    stripes = np.zeros((512, 512))
    stripes[:, ::2] = 1  # a resize that picked pixels would give 0 or 1
    np.testing.assert_allclose(colour.load(stripes, size=32)[2:-2, 2:-2], 0.5, atol=0.05)


def test_grey_alpha_and_bits(tmp_path):
    grey = PICTURE[..., 0]
    three = np.repeat(grey[..., None], 3, axis=2) / 255
    for image in (grey, grey[..., None], colour.load(stored(grey, "l.png", tmp_path), size=None)):
        np.testing.assert_array_equal(colour.load(image, size=None), three)
    # Sixteen bits, as an array and as a file.
    deep = grey.astype(np.uint16) * 257
    for order in "<>":
        np.testing.assert_allclose(colour.load(deep.astype(f"{order}u2"), size=None), three, rtol=1e-15)
    np.testing.assert_allclose(colour.load(stored(deep, "deep.png", tmp_path), size=None), three, rtol=1e-15)
    # Transparency lies on white.
    alpha = np.broadcast_to(np.uint8(51), grey.shape)[..., None]
    for name, clear in (("rgba.png", np.dstack([PICTURE, alpha])), ("la.png", np.dstack([grey, alpha]))):
        on_white = 0.2 * (PICTURE / 255 if name == "rgba.png" else three) + 0.8
        np.testing.assert_allclose(colour.load(clear, size=None), on_white, rtol=1e-12)
        np.testing.assert_allclose(colour.load(stored(clear, name, tmp_path), size=None), on_white, rtol=1e-12)
    np.testing.assert_array_equal(colour.load(grey > 127, size=None), np.repeat((grey > 127)[..., None], 3, axis=2))


def png(tmp_path, rows, width, bits, kind, clear, palette=None):
    """A PNG with a tRNS chunk, which Pillow does not write for every depth."""

    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    parts = [(b"IHDR", struct.pack(">IIBBBBB", width, len(rows), bits, kind, 0, 0, 0)), (b"tRNS", clear),
             (b"IDAT", zlib.compress(b"".join(b"\0" + row for row in rows))), (b"IEND", b"")]  # fmt: skip
    if palette:
        parts.insert(1, (b"PLTE", palette))
    path = tmp_path / "clear.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts))
    return path


GREY, COLOUR, PALETTE = 0, 2, 3


@pytest.mark.parametrize(
    "bits, row, clear, greys",
    [
        (1, 0b01000000, 0, (1, 1)),
        (1, 0b01000000, 1, (0, 1)),
        (2, 0b01100000, 1, (1, 2 / 3)),
        (2, 0b01100000, 2, (1 / 3, 1)),
        (4, 0x5A, 5, (1, 10 / 15)),
        (4, 0x5A, 10, (5 / 15, 1)),
        (8, 0x33CC, 0x33, (1, 0.8)),
        (16, 0x33333334, 0x3333, (1, 0x3334 / 0xFFFF)),
        (16, 0x33333334, 0x3334, (0.2, 1)),
    ],
)
def test_the_grey_that_is_transparent_is_white(tmp_path, bits, row, clear, greys):
    path = png(tmp_path, [row.to_bytes(max(1, 2 * bits // 8))], 2, bits, GREY, struct.pack(">H", clear))
    for size in (None, 1):
        image = colour.load(path, size)
        expected = np.repeat(np.reshape(greys, (1, 2, 1)), 3, axis=2)
        np.testing.assert_allclose(image, expected if size is None else expected[:, :1], rtol=1e-6)


def test_the_colour_that_is_transparent_is_white(tmp_path):
    eight = png(tmp_path, [bytes([51, 0, 255, 51, 0, 254])], 2, 8, COLOUR, struct.pack(">HHH", 51, 0, 255))
    np.testing.assert_allclose(colour.load(eight, None), [[[1, 1, 1], [0.2, 0, 254 / 255]]])
    # Of 16 bits all decide, though 8 are read.
    row = struct.pack(">6H", 0x3333, 0x0000, 0xFFFF, 0x3333, 0x0001, 0xFFFF)
    for clear, expected in ((0, [[1, 1, 1], [0.2, 0, 1]]), (1, [[0.2, 0, 1], [1, 1, 1]]), (2, [[0.2, 0, 1]] * 2)):
        deep = png(tmp_path, [row], 2, 16, COLOUR, struct.pack(">HHH", 0x3333, clear, 0xFFFF))
        np.testing.assert_allclose(colour.load(deep, None), [expected])


def test_a_palette_may_be_transparent_in_part(tmp_path):
    palette, opacity = bytes([255, 0, 0, 0, 0, 0, 0, 0, 255]), bytes([255, 51])
    path = png(tmp_path, [bytes([0, 1, 2])], 3, 8, PALETTE, opacity, palette)
    np.testing.assert_allclose(colour.load(path, None), [[[1, 0, 0], [0.8, 0.8, 0.8], [0, 0, 1]]])


def test_what_is_transparent_has_no_colour():
    opaque, clear = np.array([0, 0, 0, 255], dtype=np.uint8), np.array([255, 0, 0, 0], dtype=np.uint8)
    stripes = np.empty((64, 64, 4), dtype=np.uint8)
    stripes[:, ::2], stripes[:, 1::2] = opaque, clear  # half black, half nothing on white: grey, without any red
    for size in (None, 8):
        image = colour.load(stripes, size=size)
        np.testing.assert_array_equal(image[..., 0], image[..., 1])
        np.testing.assert_array_equal(image[..., 0], image[..., 2])
        assert image.mean() == pytest.approx(0.5, abs=0.02)


def test_other_files_that_cameras_and_programs_write(tmp_path):
    palette = Image.fromarray(PICTURE).quantize(16)
    palette.save(tmp_path / "p.png")
    np.testing.assert_array_equal(colour.load(tmp_path / "p.png", size=None), np.asarray(palette.convert("RGB")) / 255)
    Image.fromarray(PICTURE).convert("CMYK").save(tmp_path / "cmyk.jpg", quality=100)
    np.testing.assert_allclose(colour.load(tmp_path / "cmyk.jpg", size=None), PICTURE / 255, atol=0.05)
    turned = Image.Exif()
    turned[0x0112] = 6  # held upright
    Image.fromarray(PICTURE).save(tmp_path / "exif.png", exif=turned)
    np.testing.assert_array_equal(colour.load(tmp_path / "exif.png", size=None), np.rot90(PICTURE, -1) / 255)
    frames = [Image.fromarray(PICTURE), Image.fromarray(255 - PICTURE)]
    frames[0].save(tmp_path / "two.tif", save_all=True, append_images=frames[1:])
    np.testing.assert_array_equal(colour.load(tmp_path / "two.tif", size=None), PICTURE / 255)


@pytest.mark.parametrize("notes", [b"Exif\0\0", b"Exif\0\0MM\0*\0\0\0\x08\0\x05\x01", b"Exif\0\0nonsense"])
def test_damaged_notes_do_not_harm_a_picture(tmp_path, notes):
    whole = stored(PICTURE, "a.jpg", tmp_path)
    np.testing.assert_array_equal(
        colour.load(stored(PICTURE, "b.jpg", tmp_path, exif=notes), size=None), colour.load(whole, size=None)
    )


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["JPEG", "PNG", "GIF", "TIFF", "WEBP"]), st.data())
def test_a_damaged_file_is_an_image_or_a_clear_error(tmp_path, form, data):
    whole = io.BytesIO()
    Image.fromarray(PICTURE[:20, :20]).save(whole, form)
    content = bytearray(whole.getvalue())
    for place, byte in data.draw(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 255)), max_size=5)):
        content[place % len(content)] = byte
    path = tmp_path / "damaged"
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        image = colour.load(path, size=8)
    except ValueError as error:
        assert str(error).startswith("Invalid image")
    else:
        assert image.shape == (8, 8, 3) and image.min() >= 0 and image.max() <= 1


def test_what_is_no_picture_is_refused(tmp_path):
    whole = io.BytesIO()
    Image.fromarray(RNG.integers(0, 256, (300, 300, 3), dtype=np.uint8)).save(whole, "PNG")
    files = {"empty.png": b"", "text.png": b"no picture", "half.png": whole.getvalue()[: len(whole.getvalue()) // 2]}
    whole = io.BytesIO()
    Image.fromarray(PICTURE).save(whole, "JPEG")
    files |= {"half.jpg": whole.getvalue()[:400]}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=f"Invalid image: .*{name} is (damaged|not a picture)"):
            colour.load(tmp_path / name)
    with pytest.raises(FileNotFoundError, match=r"missing\.png"):
        colour.load(tmp_path / "missing.png")
    with pytest.raises(IsADirectoryError):
        colour.load(tmp_path)
    with pytest.raises(NotADirectoryError):
        colour.load(tmp_path / "text.png" / "a.png")


@pytest.mark.parametrize(
    "image, message",
    [
        (np.zeros((3, 40, 40)), r"its shape is \(3, 40, 40\); expected \(height, width\)"),
        (np.zeros((4, 4, 5)), "its shape is"),
        (np.zeros(7), "its shape is"),
        (np.zeros((0, 4, 3)), "expected at least one pixel"),
        (np.full((4, 4, 3), 255.0), r"from 255.0 to 255.0; expected numbers in \[0, 1\]"),
        (np.full((4, 4, 3), np.nan), r"from nan to nan; expected numbers in \[0, 1\]"),
        (np.full((4, 4, 3), -0.1), r"expected numbers in \[0, 1\]"),
        (np.zeros((4, 4, 3), dtype=np.int64), "its dtype is int64; expected bool, uint8, uint16 or floating point"),
        (np.zeros((4, 4, 3), dtype=complex), "its dtype is complex128"),
        ([["a"]], "its dtype is <U1"),
    ],
)
def test_arrays_that_are_no_images_are_refused(image, message):
    with pytest.raises(ValueError, match=message):
        colour.load(image)


def test_a_size_is_at_least_one():
    with pytest.raises(ValueError, match="Invalid size: 0; expected at least 1 pixel"):
        colour.load(PICTURE, size=0)


def test_fifty_megapixels_are_read_and_more_than_a_bomb_are_not(tmp_path, monkeypatch):
    big = np.zeros((6250, 8000, 3), dtype=np.uint8)
    big[:, :, 2] = 200
    Image.fromarray(big).save(tmp_path / "big.png", compress_level=1)
    start = time.perf_counter()
    for image in (colour.load(tmp_path / "big.png"), colour.load(big)):
        np.testing.assert_allclose(image, np.broadcast_to([0, 0, 200 / 255], (256, 256, 3)), atol=1e-6)
    assert time.perf_counter() - start < 60  # it takes about three seconds
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10**7)
    with pytest.raises(ValueError, match="has more pixels than the limit"):
        colour.load(tmp_path / "big.png")


IMAGE = np.full((4, 4, 3), 0.5)
USES = {
    "channel_means": colour.channel_means,
    "apply_gains": lambda image: colour.apply_gains(image, (1, 1, 1)),
    "difference": lambda image: colour.difference(image, IMAGE),
    "difference to": lambda image: colour.difference(IMAGE, image),
    "relight": lambda image: colour.relight(image, 3_000),
    "match_means": lambda image: colour.match_means(image, IMAGE),
    "reinhard": lambda image: colour.reinhard(IMAGE, image),
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
@pytest.mark.parametrize(
    "image, message",
    [
        (PICTURE, r"its shape is \(40, 60, 3\) and its dtype uint8; expected \(height, width, 3\) and floating point"),
        (np.zeros((4, 3)), r"its shape is \(4, 3\)"),
        (np.zeros((4, 4, 4)), r"its shape is \(4, 4, 4\)"),
        (np.zeros((0, 4, 3)), "expected at least one pixel"),
        (np.full((4, 4, 3), np.nan), r"expected numbers in \[0, 1\]"),
        (np.full((4, 4, 3), 255.0), r"expected numbers in \[0, 1\]"),
    ],
    ids=["uint8", "plane", "alpha", "empty", "nan", "255"],
)
def test_only_an_image_is_taken_for_one(use, image, message):
    with pytest.raises(ValueError, match=f"Invalid image: .*{message}"):
        use(image)


@settings(max_examples=30, deadline=None)
@given(arrays(np.float64, (5, 4, 3), elements=st.floats(0, 1)), st.tuples(*[st.floats(-2, 5)] * 3))
def test_gains_multiply_and_clip(image, gains):
    corrected = colour.apply_gains(image, gains)
    assert corrected.min() >= 0 and corrected.max() <= 1
    for c, gain in enumerate(gains):
        np.testing.assert_array_equal(corrected[..., c], np.clip(image[..., c] * gain, 0, 1))
    np.testing.assert_array_equal(colour.apply_gains(image, (1, 1, 1)), image)


@pytest.mark.parametrize("gains", [(1, 2), (1, 2, np.nan), (1, 2, np.inf), np.ones((3, 3)), 1.0])
def test_gains_are_three_finite_numbers(gains):
    with pytest.raises(ValueError, match="Invalid gains"):
        colour.apply_gains(PICTURE / 255, gains)


def test_what_is_saved_is_read_again(tmp_path):
    image = colour.load(PICTURE, size=None)
    colour.save(image, tmp_path / "a.png")
    np.testing.assert_array_equal(colour.load(tmp_path / "a.png", size=None), image)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
    for name in ("a.xyz", "a", "a.psd"):  # Pillow reads the last one but does not write it
        with pytest.raises(ValueError, match="expected a suffix that names an image format"):
            colour.save(image, tmp_path / name)
    with pytest.raises(ValueError, match="expected numbers in"):
        colour.save(image * 300, tmp_path / "b.png")
    with pytest.raises(FileNotFoundError):
        colour.save(image, tmp_path / "nowhere" / "b.png")
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_a_saved_image_keeps_the_mode_of_the_file_that_it_replaces_and_a_link_to_it(tmp_path):
    file, link = tmp_path / "a.png", tmp_path / "link.png"
    colour.save(PICTURE, file)
    file.chmod(0o600)
    link.symlink_to("a.png")
    colour.save(255 - PICTURE, link)
    assert link.is_symlink() and file.stat().st_mode & 0o777 == 0o600
    np.testing.assert_array_equal(colour.load(file, size=None), (255 - PICTURE) / 255)


def test_a_jpeg_is_saved_well(tmp_path):
    smooth = np.linspace(0, 1, 64)[:, None, None] * np.ones((1, 64, 3)) * [1, 0.7, 0.4]
    colour.save(smooth, tmp_path / "a.JPG")
    assert colour.difference(colour.load(tmp_path / "a.JPG", size=None), smooth) < 1


def test_the_difference_is_cie_2000():
    image = RNG.uniform(size=(9, 9, 3))
    assert colour.difference(image, image) == 0
    black, white = np.zeros((2, 2, 3)), np.ones((2, 2, 3))
    assert colour.difference(white, black) == pytest.approx(100, abs=1e-3)
    half = np.concatenate([black, white])
    assert colour.difference(half, np.zeros((4, 2, 3))) == pytest.approx(50, abs=1e-3)
    with pytest.raises(ValueError, match="Invalid image: its shape is"):
        colour.difference(black, half)
