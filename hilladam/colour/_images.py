"""Photographs as arrays: in, out, and what three gains make of them."""

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from hilladam._extras import extra
from hilladam._files import replacing

_BAND = 2**20
"""How many pixels are worked on at a time: as floating-point numbers, a big picture would fill the memory."""

Photo: TypeAlias = np.ndarray | Image.Image
"""A photograph in its own depth: an array that was checked, or a picture with at most 8 bits a channel."""


def load(image: str | Path | ArrayLike, size: int | None = 256) -> NDArray[np.float64]:
    """A photograph as floating-point numbers, cut to a square.

    The largest square in the middle is kept and brought to ``size`` by ``size`` pixels, averaging over the pixels that
    become one: as the authors' code does, which resizes first and then crops.

    Args:
        image: the path of a file that Pillow reads, such as PNG or JPEG, or an array of shape (height, width) or
            (height, width, channels), with one channel (grey), two (grey, alpha), three (red, green, blue) or four
            (with alpha). Arrays are bool, uint8, uint16 or floating point in [0, 1]. Grey becomes three equal
            channels, transparency is laid on white, and the orientation that a camera noted is applied. Of several
            frames the first is taken. Pillow reads colour of 16 bits a channel as 8. A colour profile in the file is
            not applied: its numbers are taken for sRGB.
        size: in pixels; None keeps the whole picture in its own size.

    Returns:
        float64, shape (height, width, 3), in [0, 1], sRGB-encoded.

    Raises:
        OSError: there is no such file, it is a folder, or it may not be read.
        ValueError: a file that is no picture, is damaged, or has more than about 89 million pixels; an array of another
            shape or dtype, without pixels, or with values outside [0, 1]; or a size below 1.

    Example:
        >>> import numpy as np
        >>> from hilladam import colour
        >>> amber = np.full((40, 60, 3), [255, 153, 51], dtype=np.uint8)
        >>> image = colour.load(amber, size=8)
        >>> image.shape, image[0, 0].round(4).tolist()
        ((8, 8, 3), [1.0, 0.6, 0.2])
    """
    if size is not None and size < 1:
        raise ValueError(f"Invalid size: {size}; expected at least 1 pixel")
    photo = opened(image)
    return _whole(photo) if size is None else square(photo, size)


def save(image: ArrayLike, path: str | Path) -> None:
    """Write an image with 8 bits a channel (JPEG in quality 95), wholly or not at all.

    A file that is there is replaced when the new one is complete, and hands on its mode; a link stays a link.

    Args:
        image: as :func:`load` takes and returns.
        path: its suffix names the format, such as ``.png`` or ``.jpg``.

    Raises:
        ValueError: an array that is no image, or a suffix that names no format.
        OSError: the file cannot be written.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> import numpy as np
        >>> from hilladam import colour
        >>> path = Path(tempfile.mkdtemp(), "grey.png")
        >>> colour.save(np.full((4, 4, 3), 0.6), path)
        >>> colour.load(path, size=None)[0, 0].round(4).tolist()
        [0.6, 0.6, 0.6]
    """
    write(_checked(np.asarray(image)), path)


def as_image(image: ArrayLike) -> NDArray[np.float64]:
    """The array itself, in float64, if it is an image as :func:`load` returns.

    Raises:
        ValueError: an array of another shape, whole numbers, or values outside [0, 1].
    """
    image = np.asarray(image)
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype.kind != "f":
        raise ValueError(
            f"Invalid image: its shape is {image.shape} and its dtype {image.dtype}; expected (height, width, 3) and "
            "floating point, as load returns"
        )
    return _checked(image).astype(np.float64, copy=False)


def channel_means(image: ArrayLike) -> NDArray[np.float64]:
    """The mean of each channel, shape (3,): s and t of the loss, in [0, 1].

    Args:
        image: shape (height, width, 3), floating point in [0, 1].

    Raises:
        ValueError: an array that is no image.

    Example:
        >>> import numpy as np
        >>> from hilladam import colour
        >>> image = np.zeros((2, 2, 3))
        >>> image[0] = 0.5, 0.25, 1.0
        >>> colour.channel_means(image).tolist()
        [0.25, 0.125, 0.5]
    """
    return as_image(image).mean(axis=(0, 1))


def apply_gains(image: ArrayLike, gains: ArrayLike) -> NDArray[np.float64]:
    """Multiply each channel by its gain and clip to [0, 1].

    A negative gain, which no light has, leaves nothing of its channel.

    Args:
        image: shape (height, width, 3), floating point in [0, 1].
        gains: (red, green, blue), finite.

    Returns:
        float64, the image's shape.

    Raises:
        ValueError: an array that is no image, or gains that are not three finite numbers.

    Example:
        >>> import numpy as np
        >>> from hilladam import colour
        >>> colour.apply_gains(np.full((1, 1, 3), 0.5), (0.5, 1, 4)).tolist()
        [[[0.25, 0.5, 1.0]]]
    """
    multiplied = as_image(image) * _three(gains)
    return np.clip(multiplied, 0.0, 1.0, out=multiplied)


def difference(image: ArrayLike, original: ArrayLike) -> float:
    """The mean colour difference ΔE (CIEDE2000) of two images, in units of which 1 is barely visible.

    Args:
        image, original: shape (height, width, 3), sRGB in [0, 1].

    Raises:
        ValueError: arrays that are no images, or of different shapes.
        ImportError: scikit-image is not installed.

    Example:
        >>> import numpy as np
        >>> from hilladam import colour
        >>> black, white = np.zeros((2, 2, 3)), np.ones((2, 2, 3))
        >>> round(colour.difference(white, black), 1)
        100.0
    """
    with extra("colour"):
        from skimage.color import deltaE_ciede2000, rgb2lab

    image, original = as_image(image), as_image(original)
    if image.shape != original.shape:
        raise ValueError(f"Invalid image: its shape is {image.shape}; expected the original's {original.shape}")
    return float(deltaE_ciede2000(rgb2lab(original), rgb2lab(image)).mean())


def opened(image: str | Path | ArrayLike) -> Photo:
    """What :func:`load` takes, read and checked, but in its own depth and size."""
    return _read(Path(image)) if isinstance(image, str | Path) else _checked(np.asarray(image))


def square(photo: Photo, size: int) -> NDArray[np.float64]:
    """The middle square as numbers, resized."""
    width, height = _size(photo)
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    planes = []
    for channel in range(1 if isinstance(photo, np.ndarray) and photo.shape[2] < 3 else 3):
        plane = Image.new("F", (side, side))
        for row, band in _bands(photo, (left, top, left + side, top + side)):
            plane.paste(Image.fromarray(np.ascontiguousarray(_light(band, np.float32)[..., channel])), (0, row))
        resized = plane.resize((size, size), Image.Resampling.BILINEAR)
        planes.append(np.clip(np.asarray(resized, dtype=np.float64), 0.0, 1.0))
    return np.stack(planes * 3 if len(planes) == 1 else planes, axis=-1)


def write(photo: Photo, path: str | Path, gains: ArrayLike = (1.0, 1.0, 1.0)) -> None:
    """Save the photograph as :func:`save` does, with its channels multiplied as :func:`apply_gains` does."""
    path, gains = Path(path), _three(gains)
    form = Image.registered_extensions().get(path.suffix.lower(), "")
    if form not in Image.SAVE:
        raise ValueError(f"Invalid path: {path}; expected a suffix that names an image format, such as .png")
    picture = Image.new("RGB", _size(photo))
    for row, band in _bands(photo, (0, 0, *picture.size)):
        light = np.clip(_light(band, np.float64) * gains, 0.0, 1.0)
        picture.paste(Image.fromarray(np.round(light * 255).astype(np.uint8)), (0, row))
    with replacing(path) as file:
        picture.save(file, form, **({"quality": 95} if form == "JPEG" else {}))


def _whole(photo: Photo) -> NDArray[np.float64]:
    width, height = _size(photo)
    whole = np.empty((height, width, 3))
    for row, band in _bands(photo, (0, 0, width, height)):
        whole[row : row + len(band)] = _light(band, np.float64)
    return whole


def _three(gains: ArrayLike) -> NDArray[np.float64]:
    gains = np.asarray(gains, dtype=np.float64)
    if gains.shape != (3,) or not np.isfinite(gains).all():
        raise ValueError(f"Invalid gains: {gains.tolist()}; expected three finite numbers (red, green, blue)")
    return gains


def _read(path: Path) -> Photo:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # damaged notes beside the picture do not harm it
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = _decoded(path)
            if picture.mode != "F" and not picture.mode.startswith("I"):
                _pixels(picture.crop((0, 0, 1, 1)))  # fails now for colours that Pillow does not know in sRGB
                return picture
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise ValueError(f"Invalid image: {path} has more pixels than the limit. {error}") from None
    except UnidentifiedImageError:
        raise ValueError(f"Invalid image: {path} is not a picture that can be read") from None
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError):
        raise
    except Exception as error:  # what Pillow raises for damage differs from format to format
        raise ValueError(f"Invalid image: {path} is damaged: {error}") from error
    deep = np.asarray(picture)
    if picture.mode == "F":
        return _checked(deep)
    if picture.mode == "I" and (deep.min() < 0 or deep.max() > 0xFFFF):  # 16 bits in a wider integer
        raise ValueError(f"Invalid image: {path} has values outside 16 bits, from {deep.min()} to {deep.max()}")
    deep = deep.astype(np.uint16)
    if "transparency" in picture.info:
        opacity = np.where(deep == picture.info["transparency"], 0, 0xFFFF)
        return np.stack([deep, opacity.astype(np.uint16)], axis=-1)
    return deep[..., None]


def _decoded(path: Path) -> Image.Image:
    """The first frame, upright; where PNG makes one colour transparent, that colour as deep as the pixels are."""
    with Image.open(path) as picture:
        raw = picture.tile[0][3] if picture.format == "PNG" and picture.tile else None
        picture.load()
        clear = picture.info.get("transparency")
        if clear is not None and raw in ("L;2", "L;4"):  # Pillow spreads the pixels alone over 8 bits
            picture.info["transparency"] = clear * {"L;2": 85, "L;4": 17}[raw]
        if clear is not None and raw == "RGB;16B":
            with Image.open(path) as low:
                low.tile = [(*tile[:3], "RGB;16L") for tile in low.tile]  # the bytes that Pillow leaves out
                low.load()
            del picture.info["transparency"], low.info["transparency"]
            picture.putalpha(_opacity(picture, low, clear))
        ImageOps.exif_transpose(picture, in_place=True)
        return picture


def _opacity(high: Image.Image, low: Image.Image, clear: tuple[int, int, int]) -> Image.Image:
    """None where the high and the low bytes make the clear colour, all elsewhere."""
    opacity = Image.new("L", high.size)
    box = (0, 0, *high.size)
    for (row, first), (_, second) in zip(_bands(high, box), _bands(low, box), strict=True):
        is_clear = (first.astype(np.uint16) << 8 | second == clear).all(axis=-1)
        opacity.paste(Image.fromarray(np.where(is_clear, 0, 255).astype(np.uint8)), (0, row))
    return opacity


def _checked(pixels: np.ndarray) -> np.ndarray:
    if pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[2] not in (1, 2, 3, 4)):
        raise ValueError(
            f"Invalid image: its shape is {pixels.shape}; expected (height, width) or (height, width, 1 to 4 channels)"
        )
    if not pixels.size:
        raise ValueError(f"Invalid image: its shape is {pixels.shape}; expected at least one pixel")
    if pixels.dtype.kind == "f":
        low, high = float(pixels.min()), float(pixels.max())
        if not (low >= 0.0 and high <= 1.0):  # also where one is NaN
            raise ValueError(f"Invalid image: its values go from {low} to {high}; expected numbers in [0, 1]")
    elif pixels.dtype.newbyteorder("=") not in (np.bool_, np.uint8, np.uint16):
        raise ValueError(f"Invalid image: its dtype is {pixels.dtype}; expected bool, uint8, uint16 or floating point")
    return pixels[..., None] if pixels.ndim == 2 else pixels


def _size(photo: Photo) -> tuple[int, int]:
    return (photo.shape[1], photo.shape[0]) if isinstance(photo, np.ndarray) else photo.size


def _bands(photo: Photo, box: tuple[int, int, int, int]) -> Iterator[tuple[int, np.ndarray]]:
    """The pixels within (left, top, right, bottom), some rows at a time, each with the place of its first row."""
    left, top, right, bottom = box
    rows = max(1, _BAND // (right - left))
    for row in range(top, bottom, rows):
        end = min(row + rows, bottom)
        if isinstance(photo, np.ndarray):
            yield row - top, photo[row:end, left:right]
        else:
            yield row - top, _pixels(photo.crop((left, row, right, end)))


def _pixels(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture.convert("RGBA" if picture.has_transparency_data else "RGB"))


def _light(pixels: np.ndarray, dtype) -> np.ndarray:
    """The colours in [0, 1], transparency laid on white: one channel for grey, else three."""
    unit = dtype(np.iinfo(pixels.dtype).max if pixels.dtype.kind == "u" else 1)
    light = pixels.astype(dtype) / unit
    if pixels.shape[2] in (1, 3):
        return light
    colours, opacity = light[..., :-1], light[..., -1:]
    return colours * opacity + (1 - opacity)
