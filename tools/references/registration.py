"""Lays a photograph of a rigid part over a reference: translation, rotation and mild perspective."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Frame", "Registration", "edge_strength", "phase_correlation"]

_LONGER_SIDE_PX = 160  # of the pictures that are compared; finer ones differ in more than their pose
_BLUR_PX = 2.0  # widens edges, so that they overlap before they are aligned
_START_ANGLES_DEG = (0.0, -8.0, 8.0)
_MAX_SHEAR_AND_SCALE = 0.15  # deviation of the linear part from a pure rotation
_MAX_ANGLE_DEG = 30.0
_MAX_SHIFT = 0.35  # of the longer side
_MIN_GAIN = 0.005  # in correlation, for which a warp with more freedom is taken


@dataclass(frozen=True)
class Registration:
    """How an image lies relative to the reference.

    Attributes:
        to_image: 3x3 homography from pixels (x, y) of the reference to those of the image; identity up to
            scale where no better fit was found.
        correlation: Of the edges of both after alignment, in [-1, 1].
    """

    to_image: NDArray[np.float64]
    correlation: float


@dataclass(frozen=True)
class Frame:
    """A reference image that others are laid over.

    Alignment maximises the enhanced correlation coefficient (Evangelidis & Psarakis, 2008, IEEE TPAMI 30)
    of edge strength, which light changes less than grey values, from a phase correlation at a few angles.

    Attributes:
        size_px: Width and height of the reference.
        edges: Smoothed edge strength of a small copy of it, of mean 0 and deviation 1.
    """

    size_px: tuple[int, int]
    edges: NDArray[np.float32]

    @classmethod
    def of(cls, image_rgb: NDArray[np.uint8]) -> Self:
        """The frame that a picture, uint8 of shape (height, width, 3), makes."""
        return cls((image_rgb.shape[1], image_rgb.shape[0]), edge_strength(image_rgb))

    def register(self, image_rgb: NDArray[np.uint8]) -> Registration:
        """Finds where the reference lies in an image; the identity where nothing fits better."""
        edges = edge_strength(image_rgb)
        best = np.eye(3, dtype=np.float32)
        correlation = _correlation(self.edges, edges, best)
        start = self._start(edges)
        for motion in _motions():
            warp, reached = _refined(self.edges, edges, start, motion)
            if reached > correlation + _MIN_GAIN and _is_mild(warp):
                best, correlation, start = warp, reached, warp
        return Registration(self._in_pixels(best, image_rgb), correlation)

    def warped(self, image_rgb: NDArray[np.uint8], registration: Registration) -> NDArray[np.uint8]:
        """The image as it would look in the place of the reference, at the reference's size."""
        import cv2

        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return np.asarray(
            cv2.warpPerspective(
                image_rgb, registration.to_image, self.size_px, flags=flags, borderMode=cv2.BORDER_REPLICATE
            ),
            dtype=np.uint8,
        )

    def _start(self, edges: NDArray[np.float32]) -> NDArray[np.float32]:
        """The best of phase correlations at a few angles, as a warp from the reference to the image."""
        import cv2

        height, width = self.edges.shape
        fitted = _fitted(edges, self.edges.shape)
        window = cv2.createHanningWindow((width, height), cv2.CV_32F)
        candidates = []
        for angle in _START_ANGLES_DEG:
            turn = np.eye(3)
            turn[:2] = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.0)
            turned = cv2.warpAffine(
                fitted, turn[:2], (width, height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
            )
            (dx, dy), _ = phase_correlation(self.edges, turned, window)
            shift = np.array([[1, 0, dx], [0, 1, dy], [0, 0, 1]])
            warp = (turn @ shift).astype(np.float32)
            candidates.append((_correlation(self.edges, edges, warp), warp))
        best: NDArray[np.float32] = max(candidates, key=lambda each: each[0])[1]
        return best

    def _in_pixels(self, warp: NDArray[np.float32], image_rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
        height, width = image_rgb.shape[:2]
        to_small = _scaling(_LONGER_SIDE_PX / max(self.size_px))
        return np.asarray(np.linalg.inv(_scaling(_LONGER_SIDE_PX / max(height, width))) @ warp @ to_small)


def phase_correlation(
    first: NDArray[np.float32], second: NDArray[np.float32], window: NDArray[np.float32]
) -> tuple[tuple[float, float], float]:
    """How far the second picture lies to the right of and below the first, and how sure that is."""
    import cv2

    # OpenCV multiplies the window into its inputs where their size suits the Fourier transform.
    (dx, dy), response = cv2.phaseCorrelate(first.copy(), second.copy(), window)
    return (float(dx), float(dy)), float(response)


def _scaling(factor: float) -> NDArray[np.float64]:
    """Maps pixels of a picture to those of its resized copy; pixels cover area, so centres lie at halves."""
    offset = (factor - 1) / 2
    return np.array([[factor, 0, offset], [0, factor, offset], [0, 0, 1]])


def _motions() -> tuple[int, ...]:
    import cv2

    return (cv2.MOTION_EUCLIDEAN, cv2.MOTION_AFFINE, cv2.MOTION_HOMOGRAPHY)


def edge_strength(image_rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Smoothed edge strength of a small copy, of mean 0 and deviation 1."""
    import cv2

    height, width = image_rgb.shape[:2]
    scale = _LONGER_SIDE_PX / max(height, width)
    size = (max(round(width * scale), 8), max(round(height * scale), 8))
    small = cv2.resize(image_rgb, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    grey = cv2.GaussianBlur(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32), (0, 0), 1.0)
    strength = np.log1p(np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)))
    blurred = cv2.GaussianBlur(strength, (0, 0), _BLUR_PX)
    return np.asarray((blurred - blurred.mean()) / (blurred.std() + 1e-6), dtype=np.float32)


def _fitted(edges: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Cut, or filled with zeros, to a shape."""
    fitted = np.zeros(shape, np.float32)
    rows, columns = min(shape[0], edges.shape[0]), min(shape[1], edges.shape[1])
    fitted[:rows, :columns] = edges[:rows, :columns]
    return fitted


def _correlation(
    reference: NDArray[np.float32], edges: NDArray[np.float32], warp: NDArray[np.float32]
) -> float:
    """Of the reference with the warped image, over the part of the reference that the image covers."""
    import cv2

    size = (reference.shape[1], reference.shape[0])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    laid = cv2.warpPerspective(edges, warp, size, flags=flags)
    covered = cv2.warpPerspective(np.ones_like(edges), warp, size, flags=flags) > 0.99
    if covered.mean() < 0.4:
        return -1.0
    inside, outside = reference[covered], laid[covered]
    spread = float(inside.std() * outside.std())
    return (
        float(((inside - inside.mean()) * (outside - outside.mean())).mean()) / spread if spread > 0 else -1.0
    )


def _refined(
    reference: NDArray[np.float32], edges: NDArray[np.float32], start: NDArray[np.float32], motion: int
) -> tuple[NDArray[np.float32], float]:
    """The warp that maximises the correlation, from a start; the start itself where none is found."""
    import cv2

    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 40, 1e-4)
    warp = start.copy() if motion == cv2.MOTION_HOMOGRAPHY else start[:2].copy()
    try:
        _, found = cv2.findTransformECC(reference, edges, warp, motion, criteria, None, 1)
    except cv2.error:  # the iteration did not converge, which is its way to say that nothing fits
        return start, _correlation(reference, edges, start)
    full = np.eye(3, dtype=np.float32)
    full[: found.shape[0]] = found
    return full, _correlation(reference, edges, full)


def _is_mild(warp: NDArray[np.float32]) -> bool:
    """Whether a warp is what a part laid down again does: not a mirror, no strong zoom or shear."""
    linear = warp[:2, :2].astype(np.float64)
    left, stretch, right = np.linalg.svd(linear)
    turn = left @ right
    angle = np.degrees(np.arctan2(turn[1, 0], turn[0, 0]))
    return bool(
        np.linalg.det(linear) > 0
        and np.abs(stretch - 1).max() <= _MAX_SHEAR_AND_SCALE
        and abs(angle) <= _MAX_ANGLE_DEG
        and np.abs(warp[:2, 2]).max() <= (_MAX_SHIFT + 0.5 * abs(np.sin(np.radians(angle)))) * _LONGER_SIDE_PX
    )
