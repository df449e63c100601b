"""The ArUco dictionaries that this OpenCV knows, by name."""

from __future__ import annotations

__all__ = ["is_dictionary", "known_dictionaries"]


def is_dictionary(name: str) -> bool:
    """Whether a name is a dictionary's, in any of its spellings."""
    import cv2

    return name.startswith("DICT_") and hasattr(cv2.aruco, name)


def known_dictionaries() -> tuple[str, ...]:
    """Returns their names, each once: OpenCV has some of them in two spellings."""
    import cv2

    names = filter(is_dictionary, dir(cv2.aruco))
    return tuple(sorted({name.upper(): name for name in names}.values()))
