"""Photographs as arrays: in, out, and what three gains make of them."""

import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError


def load(image: str | Path | np.ndarray, size: int | None = 256) -> np.ndarray:
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
    """
    if size is not None and size < 1:
        raise ValueError(f"Invalid size: {size}; expected at least 1 pixel")
    pixels = _checked(_read(Path(image)) if isinstance(image, str | Path) else np.asarray(image))
    planes = list(_planes(pixels, np.float64) if size is None else _squares(pixels, size))
    return np.stack(planes * 3 if len(planes) == 1 else planes, axis=-1)


def save(image: np.ndarray, path: str | Path) -> None:
    """Write an image with 8 bits a channel (JPEG in quality 95), wholly or not at all.

    Args:
        image: as :func:`load` returns.
        path: its suffix names the format, such as ``.png`` or ``.jpg``.

    Raises:
        ValueError: an array that is no image, or a suffix that names no format.
        OSError: the file cannot be written.
    """
    path = Path(path)
    form = Image.registered_extensions().get(path.suffix.lower())
    if form not in Image.SAVE:
        raise ValueError(f"Invalid path: {path}; expected a suffix that names an image format, such as .png")
    eight = np.round(load(image, size=None) * 255).astype(np.uint8)
    draft = path.with_name(path.name + ".part")
    try:
        Image.fromarray(eight).save(draft, form, **({"quality": 95} if form == "JPEG" else {}))
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def as_image(image: np.ndarray) -> np.ndarray:
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


def channel_means(image: np.ndarray) -> np.ndarray:
    """The mean of each channel, shape (3,): s and t of the loss, in [0, 1].

    Args:
        image: shape (height, width, 3), floating point in [0, 1].

    Raises:
        ValueError: an array that is no image.
    """
    return as_image(image).mean(axis=(0, 1))


def apply_gains(image: np.ndarray, gains) -> np.ndarray:
    """Multiply each channel by its gain and clip to [0, 1].

    A negative gain, which no light has, leaves nothing of its channel.

    Args:
        image: shape (height, width, 3), floating point in [0, 1].
        gains: (red, green, blue), finite.

    Returns:
        float64, the image's shape.

    Raises:
        ValueError: an array that is no image, or gains that are not three finite numbers.
    """
    gains = np.asarray(gains, dtype=np.float64)
    if gains.shape != (3,) or not np.isfinite(gains).all():
        raise ValueError(f"Invalid gains: {gains.tolist()}; expected three finite numbers (red, green, blue)")
    return np.clip(as_image(image) * gains, 0.0, 1.0)


def difference(image: np.ndarray, original: np.ndarray) -> float:
    """The mean colour difference ΔE (CIEDE2000) of two images, in units of which 1 is barely visible.

    Args:
        image, original: shape (height, width, 3), sRGB in [0, 1].

    Raises:
        ValueError: arrays that are no images, or of different shapes.
    """
    from skimage.color import deltaE_ciede2000, rgb2lab

    image, original = as_image(image), as_image(original)
    if image.shape != original.shape:
        raise ValueError(f"Invalid image: its shape is {image.shape}; expected the original's {original.shape}")
    return float(deltaE_ciede2000(rgb2lab(original), rgb2lab(image)).mean())


def _read(path: Path) -> np.ndarray:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # damaged notes beside the picture do not harm it
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as picture:
                picture.load()
                ImageOps.exif_transpose(picture, in_place=True)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise ValueError(f"Invalid image: {path} has more pixels than the limit. {error}") from None
    except UnidentifiedImageError:
        raise ValueError(f"Invalid image: {path} is not a picture that can be read") from None
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError, PermissionError):
        raise
    except Exception as error:  # what Pillow raises for damage differs from format to format
        raise ValueError(f"Invalid image: {path} is damaged: {error}") from error
    if picture.mode.startswith("I;16"):
        return np.asarray(picture).astype(np.uint16)
    if picture.mode == "I":  # 16 bits in a wider integer
        wide = np.asarray(picture)
        if wide.min() < 0 or wide.max() > 0xFFFF:
            raise ValueError(f"Invalid image: {path} has values outside 16 bits, from {wide.min()} to {wide.max()}")
        return wide.astype(np.uint16)
    if picture.mode == "F":
        return np.asarray(picture)
    return np.asarray(picture.convert("RGBA" if picture.has_transparency_data else "RGB"))


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


def _squares(pixels: np.ndarray, size: int) -> Iterator[np.ndarray]:
    """The colour channels of the middle square, resized."""
    height, width, _ = pixels.shape
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    for plane in _planes(pixels[top : top + side, left : left + side], np.float32):
        resized = Image.fromarray(plane).resize((size, size), Image.Resampling.BILINEAR)
        yield np.clip(np.asarray(resized, dtype=np.float64), 0.0, 1.0)


def _planes(pixels: np.ndarray, dtype) -> Iterator[np.ndarray]:
    """The colour channels in [0, 1], transparency laid on white; one by one, since a big picture fills the memory."""
    unit = dtype(np.iinfo(pixels.dtype).max if pixels.dtype.kind == "u" else 1)
    opacity = pixels[..., -1].astype(dtype) / unit if pixels.shape[2] in (2, 4) else None
    for channel in range(3 if pixels.shape[2] > 2 else 1):
        plane = pixels[..., channel].astype(dtype) / unit
        yield plane if opacity is None else plane * opacity + (1 - opacity)
