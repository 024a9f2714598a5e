"""Which of many runs succeeded, as it is stored: their number, and a bit for each in hexadecimal digits."""

import numpy as np


def packed_hits(hits: np.ndarray) -> list:
    """The number of runs, and their bits; ``hits`` is bool, of shape ``(runs,)``."""
    return [len(hits), np.packbits(hits).tobytes().hex()]


def unpacked_hits(runs: int, bits: str) -> np.ndarray:
    """What :func:`packed_hits` packed."""
    return np.unpackbits(np.frombuffer(bytes.fromhex(bits), np.uint8), count=runs).astype(bool)
