"""Whether good parts lie alike, so that they can be laid over each other, and which of them is the frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tools.references.registration import Frame

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from tools.references.options import ReferenceOptions

__all__ = ["SURELY_RIGID", "frame_of"]

# Of edges, that three of four good images must reach to count as one part in one pose. Real parts that do lie
# over each other reach 0.77 to 0.98, those that do not 0.12 to 0.89; between, features decide.
_PERHAPS_RIGID, SURELY_RIGID, _RIGID_SHARE = 0.755, 0.92, 0.75
_FRAME_CANDIDATES = 3


def frame_of(
    images_rgb: Sequence[NDArray[np.uint8]], options: ReferenceOptions
) -> tuple[Frame | None, float]:
    """The image that the others lie over best, and how well; None where too few of them do."""
    if options.rigid is False or (options.rigid is None and (options.turns > 1 or len(images_rgb) < 2)):
        return None, 0.0
    if len(images_rgb) == 1:
        return Frame.of(images_rgb[0]), 1.0
    candidates = []
    for number, image_rgb in enumerate(images_rgb[:_FRAME_CANDIDATES]):
        frame = Frame.of(image_rgb)
        others = [each for other, each in enumerate(images_rgb) if other != number]
        fits = [frame.register(other).correlation for other in others]
        candidates.append((float(np.median(fits)), float(np.quantile(fits, 1 - _RIGID_SHARE)), frame))
    # One odd good part decides neither which frame is best nor that there is none.
    _, _, best = max(candidates, key=lambda each: each[0])
    fit = max(fit for _, fit, _ in candidates)
    return (best if options.rigid or fit >= _PERHAPS_RIGID else None), fit
