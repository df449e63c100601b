"""The centre line of a thin, curved defect, sub-pixel: how long it is and how wide along it.

Points are (x, y) in pixels of the mask, with the origin at the corner of its first pixel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, map_coordinates
from scipy.sparse import coo_matrix, csr_matrix
from scipy.sparse.csgraph import connected_components, dijkstra
from scipy.spatial import cKDTree
from skimage.morphology import skeletonize

__all__ = ["CentreLine", "centre_line", "normals", "straightened"]

Points = NDArray[np.float64]
Soft = NDArray[np.float32]

_SUPPORT = 0.3  # a line one pixel wide covers half of two pixels where it lies between them
_SMOOTHING_PX = 1.5
_WAVERING_PX = 6.0
_KERNEL_REACH = 4.0  # standard deviations
_STEP_PX = 0.25
_CHORD_STEP_PX = 0.5
_CHORD_ANGLES_DEG = (-45, -30, -15, 0, 15, 30, 45)
_SMALLEST_BRANCH_PX = 4.0
_SMALLEST_LOOP_PX = 12  # of the side of a loop that a path leaves out
_BESIDE_PX = 4  # pixels of a path that may touch each other, being neighbours


@dataclass(frozen=True)
class CentreLine:
    """The longest way through a thin shape.

    Attributes:
        path: Nx2, from end to end, the ends on the outline.
        branches: Nx2 each, what leaves the path; the first point is where it leaves.
        chords: Nx2x2, the shortest chords across the path, away from its ends and branches.
    """

    path: Points
    branches: tuple[Points, ...]
    chords: NDArray[np.float64]


def centre_line(soft: Soft) -> CentreLine | None:
    """Traces the longest geodesic of the skeleton, between the pixels; gaps are bridged.

    The skeleton's staircase is drawn to the mask's ridge and smoothed, so that neither a diagonal nor a curve
    is overestimated; the ends are moved out to where the coverage along the end's tangent runs out.

    Args:
        soft: HxW, share of each pixel that is covered, in [0, 1].

    Returns:
        None where the mask is too small to have a line.
    """
    support = np.pad(soft, 1) >= _SUPPORT * min(1.0, 2 * float(soft.max()))
    # The default (Zhang and Suen 1984) eats up diagonals of even width; Lee et al. (1994) keeps them.
    pixels = np.argwhere(skeletonize(support, method="lee")) - 1
    if len(pixels) < 3:
        return None
    graph = _bridged(pixels.astype(np.float64))
    first = int(np.argmin((graph + graph.T).getnnz(axis=1)))  # with a loop in it, all begins at a free end
    order = _longest_path(graph, first)
    order = _longest_path(_unrolled(graph, order), int(order[0]))
    centres: Points = pixels[:, ::-1].astype(np.float64) + 0.5
    path = _refined(soft, centres[order])
    chords = _chords(soft, path)
    half_width = float(np.median(np.linalg.norm(chords[:, 1] - chords[:, 0], axis=1))) / 2
    branches = tuple(
        _smoothed(centres[branch], _SMOOTHING_PX)
        for branch in _branches(graph, order, max(_SMALLEST_BRANCH_PX, 2 * half_width))
    )
    for branch in branches:  # where it leaves, the two together are no wider line
        away = np.linalg.norm(chords.mean(axis=1) - branch[0], axis=1) > 4 * half_width + 2
        chords = chords[away] if np.any(away) else chords
    ends = _is_end(graph, order, 0), _is_end(graph, order, -1)
    return CentreLine(_with_ends(soft, path, half_width, ends), branches, chords)


def straightened(path: Points) -> Points:
    """Returns a path without its waverings, its ends where they are: how much of them is grain is unknown."""
    return _smoothed(path, _WAVERING_PX)


def normals(path: Points) -> Points:
    """Returns the unit vectors (Nx2) across a path at its points."""
    tangents = np.gradient(path, axis=0)
    tangents /= np.maximum(np.linalg.norm(tangents, axis=1, keepdims=True), 1e-9)
    return np.stack([-tangents[:, 1], tangents[:, 0]], axis=1)


def _bridged(pixels: Points) -> csr_matrix:
    """Returns the graph of neighbouring skeleton pixels, its parts joined where they come closest."""
    pairs = cKDTree(pixels).query_pairs(1.5, output_type="ndarray")
    graph = _graph(pixels, pairs)
    count, part = connected_components(graph, directed=False)
    while count > 1:
        inside = np.flatnonzero(part == part[0])
        outside = np.flatnonzero(part != part[0])
        distance, nearest = cKDTree(pixels[inside]).query(pixels[outside])
        closest = int(np.argmin(distance))
        pairs = np.vstack([pairs, [outside[closest], inside[nearest[closest]]]])
        part[part == part[outside[closest]]] = part[0]
        count -= 1
    return _graph(pixels, pairs)


def _graph(pixels: Points, pairs: NDArray[np.int64]) -> csr_matrix:
    lengths = np.linalg.norm(pixels[pairs[:, 0]] - pixels[pairs[:, 1]], axis=1)
    return coo_matrix((lengths, (pairs[:, 0], pairs[:, 1])), shape=(len(pixels), len(pixels))).tocsr()


def _longest_path(graph: csr_matrix, start: int) -> NDArray[np.int64]:
    """Returns the pixels of the longest shortest path, found by going to the farthest pixel twice."""
    reach = dijkstra(graph, directed=False, indices=start)
    end = int(np.argmax(np.where(np.isfinite(reach), reach, -1)))
    reach, before = dijkstra(graph, directed=False, indices=end, return_predecessors=True)
    at = int(np.argmax(np.where(np.isfinite(reach), reach, -1)))
    order = [at]
    while at != end:
        at = int(before[at])
        order.append(at)
    return np.array(order)


def _unrolled(graph: csr_matrix, path: NDArray[np.int64]) -> csr_matrix:
    """Cuts loops open where their two sides begin: the shortest way into a loop leaves one of them out.

    Args:
        graph: Of all pixels.
        path: The longest shortest path; it ends in a loop where a side that it left out joins it again.
    """
    links = graph.tocoo()
    place = np.full(graph.shape[0], -1)
    place[path] = np.arange(len(path))
    rest = np.flatnonzero(place < 0)
    part = np.full(graph.shape[0], -1)
    part[rest] = connected_components(graph[rest][:, rest], directed=False)[1]
    side = np.maximum(part[links.row], part[links.col])
    met = np.maximum(place[links.row], place[links.col])
    kept = np.ones(len(links.row), bool)
    for number in np.flatnonzero(np.bincount(part[rest]) >= _SMALLEST_LOOP_PX):
        joins = (side == number) & (met >= 0)
        for end in (0, len(path) - 1):
            here = np.abs(met - end) <= _BESIDE_PX
            if np.any(joins & here) and np.any(joins & ~here):
                kept[joins & ~here] = False
                break
    return coo_matrix((links.data[kept], (links.row[kept], links.col[kept])), shape=graph.shape).tocsr()


def _is_end(graph: csr_matrix, path: NDArray[np.int64], end: int) -> bool:
    """Whether a shape ends where a path does, and does not go on into the path itself."""
    beside = (graph + graph.T)[[path[end]]].indices
    return not np.intersect1d(beside, path[_BESIDE_PX:] if end == 0 else path[:-_BESIDE_PX]).size


def _branches(graph: csr_matrix, path: NDArray[np.int64], shortest_px: float) -> list[NDArray[np.int64]]:
    """Returns the longest path of each part that the main path leaves over, from where it leaves."""
    rest = np.setdiff1d(np.arange(graph.shape[0]), path)
    if len(rest) < shortest_px:
        return []
    symmetric = graph + graph.T
    links = graph[rest][:, rest].tocoo()
    # Arms on both sides of a crossing touch each other at its corners: they are branches of their own.
    touches = np.isin(rest, symmetric[path].indices)
    apart = ~(touches[links.row] & touches[links.col])
    own = coo_matrix((links.data[apart], (links.row[apart], links.col[apart])), shape=links.shape)
    _, part = connected_components(own, directed=False)
    branches = []
    for number in np.flatnonzero(np.bincount(part) >= shortest_px):
        members = rest[part == number]
        joints = np.intersect1d(symmetric[members].indices, path)
        nodes = np.concatenate([members, joints[:1]])
        order = nodes[_longest_path(graph[nodes][:, nodes], len(nodes) - 1)]
        if len(order) >= shortest_px:
            branches.append(order)
    return branches


def _smoothed(path: Points, sigma_px: float) -> Points:
    """Smooths along the path; odd reflection keeps its ends where they are."""
    pad = min(len(path) - 1, round(_KERNEL_REACH * sigma_px))
    padded = np.pad(path, ((pad, pad), (0, 0)), mode="reflect", reflect_type="odd")
    smooth: Points = gaussian_filter1d(padded, sigma_px, axis=0, truncate=_KERNEL_REACH)
    return smooth[pad : len(padded) - pad]


def _sample(soft: Soft, spots: NDArray[np.float64]) -> NDArray[np.float64]:
    """Reads the mask at points (…x2) by bilinear interpolation; nothing lies outside it."""
    where = (spots[..., 1] - 0.5, spots[..., 0] - 0.5)
    values: NDArray[np.float64] = map_coordinates(soft, where, order=1, mode="constant").astype(np.float64)
    return values


def _refined(soft: Soft, path: Points) -> Points:
    """Draws a staircase path to the middle of the mask, then smooths it."""
    path = _smoothed(path, _SMOOTHING_PX)
    across_path = normals(path)
    offsets = np.arange(-2.0, 2.01, _STEP_PX)
    across = _sample(soft, path[:, None] + offsets[:, None] * across_path[:, None])
    middle = across @ offsets / np.maximum(across.sum(axis=1), 1e-6)
    return _smoothed(path + middle[:, None] * across_path, _SMOOTHING_PX)


def _chords(soft: Soft, path: Points) -> NDArray[np.float64]:
    """Returns the ends (Nx2x2) of the shortest chord through each point of the path.

    A chord's length is the coverage summed along it until that runs out, so that lines narrower than a
    pixel have a width too; trying several angles keeps the mouth of a branch out of it.
    """
    across = normals(path)
    reach = min(4.0 + 2.0 * float(soft.sum()) / max(len(path), 1), 0.5 * max(soft.shape))
    steps = np.arange(_CHORD_STEP_PX / 2, reach, _CHORD_STEP_PX)
    best = np.full(len(path), np.inf)
    ends = np.zeros((len(path), 2, 2))
    for angle in np.radians(_CHORD_ANGLES_DEG):
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        directions = across @ turn
        sides = []
        for sign in (-1.0, 1.0):
            profile = _sample(soft, path[:, None] + sign * steps[:, None] * directions[:, None])
            open_ = np.logical_and.accumulate(profile > 0.05, axis=1)
            sides.append(sign * _CHORD_STEP_PX * np.sum(profile * open_, axis=1))
        shorter = sides[1] - sides[0] < best
        best = np.where(shorter, sides[1] - sides[0], best)
        chord = path[:, None] + np.stack(sides, axis=1)[..., None] * directions[:, None]
        ends[shorter] = chord[shorter]
    # The last points lie where the skeleton frays: their chords say nothing.
    skip = min(int(best[len(best) // 2] / 2) + 1, (len(path) - 1) // 2)
    return ends[skip : len(path) - skip]


def _with_ends(soft: Soft, path: Points, half_width: float, are_ends: tuple[bool, bool]) -> Points:
    """Cuts half a width off ends, where a skeleton frays, and goes on straight to the outline.

    Args:
        soft: The mask.
        path: Middle of the line.
        half_width: Of the line.
        are_ends: Whether the shape ends where the path begins, and where it stops.
    """
    cut = max(min(round(half_width), (len(path) - 3) // 2), 0)
    kept = path[cut * are_ends[0] : len(path) - cut * are_ends[1]]
    span = min(max(4, round(2 * half_width)), len(kept) - 1)
    steps = np.arange(_STEP_PX / 2, 3 * half_width + 4, _STEP_PX)
    ends = []
    for line, is_end in zip((kept, kept[::-1]), are_ends, strict=True):
        if not is_end:
            ends.append(line[0])
            continue
        direction = (line[0] - line[span]) / max(float(np.linalg.norm(line[0] - line[span])), 1e-9)
        plateau = float(np.mean(_band(soft, line[: span + 1], direction)))
        share = _band(soft, line[0] + steps[:, None] * direction, direction) / max(plateau, 0.1)
        running = np.minimum.accumulate(np.minimum(share, 1.0))
        ends.append(line[0] + _STEP_PX * float(running.sum()) * direction)
    return np.vstack([ends[0], kept, ends[1]])


def _band(soft: Soft, spots: Points, direction: Points) -> NDArray[np.float64]:
    """Returns the mean coverage across a direction: between the pixels of a thin line it does not drop."""
    across = np.array([-direction[1], direction[0]])
    offsets = np.linspace(-1.0, 1.0, 9)[:, None]
    values: NDArray[np.float64] = _sample(soft, spots[:, None] + offsets * across).mean(axis=1)
    return values
