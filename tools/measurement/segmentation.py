"""Which pixels inside a proposed box are the defect: told from the surface around it, with soft edges.

The surface is what the ring around the box shows; the defect is what differs from it in brightness or
colour by more than the surface differs from itself. Of the ways to cut at several levels, that one is
taken whose extent agrees best with the proposal: the detector knows where, the picture knows the edge.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from tools.measurement.patches import patch
from tools.measurement.ridges import line
from tools.measurement.surroundings import Cut, cropped

if TYPE_CHECKING:
    from tools.measurement.surroundings import View
    from tools.records import BoxXyxyPx

__all__ = ["Segment", "segment_defect"]

Field = NDArray[np.float32]
Mask = NDArray[np.bool_]

_LARGE_PX = 200  # shorter side, from which a patch is cut from a smaller picture
_SHRUNK_PX = 0.1  # standard uncertainty of an edge there, in its pixels


@dataclass(frozen=True)
class Segment:
    """A defect told from its surroundings.

    Attributes:
        soft: HxW over the crop, share of each pixel that the defect covers, in [0, 1]; all 0 where nothing
            stands out.
        offset_xy: Column and row of the crop's first pixel in the picture.
        noise_to_contrast: The surface's own unrest as a fraction of the defect's contrast.
        end_doubt_px: Standard uncertainty of where it ends, at each end of its length: how far the sound ways
            to cut it differ.
        edge_doubt_px: The same of where an edge lies, on each side of its width.
    """

    soft: Field
    offset_xy: tuple[int, int]
    noise_to_contrast: float
    end_doubt_px: float = 0.0
    edge_doubt_px: float = 0.0


def segment_defect(
    image_rgb: NDArray[np.uint8],
    box_xyxy_px: BoxXyxyPx,
    *,
    curvilinear: bool,
    mask_hint: Mask | None = None,
) -> Segment:
    """Segments the defect inside its box.

    Args:
        image_rgb: HxWx3.
        box_xyxy_px: The proposal; parts of it outside the picture are ignored.
        curvilinear: Whether to look for thin lines instead of patches.
        mask_hint: HxW over the picture, a rough mask of the defect where the proposer gave one.

    Returns:
        Its soft mask over an enlarged crop; where nothing stands out from the surface the hint, else an
        empty one.
    """
    view, offset = cropped(image_rgb, box_xyxy_px, mask_hint)
    cut = line(view) if curvilinear else _patch_of_any_size(view)
    soft = cut.soft
    if view.hint is not None and not np.any(soft >= 0.5):
        soft = view.hint.astype(np.float32)
    return Segment(soft, offset, cut.noise_to_contrast, cut.end_doubt_px, cut.edge_doubt_px)


def _patch_of_any_size(view: View) -> Cut:
    """Cuts a large patch from a smaller picture: a pixel there is nothing beside its size."""
    height, width = view.ring.shape
    factor = _LARGE_PX / min(view.box[2] - view.box[0], view.box[3] - view.box[1])
    if factor >= 1:
        return patch(view)
    cut = patch(view.shrunk(factor))
    soft = cv2.resize(cut.soft, (width, height), interpolation=cv2.INTER_LINEAR)
    end_px, edge_px = (
        float(np.hypot(px, _SHRUNK_PX)) / factor for px in (cut.end_doubt_px, cut.edge_doubt_px)
    )
    return Cut(np.asarray(soft, np.float32), cut.noise_to_contrast, end_px, edge_px)
