"""True sentences about a synthesised part, in the plain words that inspectors use."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tools.forge.truth import TrueDefect, TrueNegative

__all__ = ["article", "defect_sentences", "negative_sentence", "noun_of", "sentences"]

_SURFACES = {
    "brushed_steel": "brushed steel",
    "cast_aluminium": "cast aluminium",
    "painted_metal": "painted metal",
    "plastic": "plastic",
    "fabric": "woven fabric",
    "rubber": "rubber",
    "anodised": "anodised aluminium",
    "machined": "machined metal",
}
_SHAPES = {
    "close-up": "surface",
    "plate": "plate",
    "disc": "disc",
    "washer": "washer",
    "flange": "flange",
    "bracket": "bracket",
}
_WHERE = {
    "upper-left": "at the upper left",
    "top": "at the top",
    "upper-right": "at the upper right",
    "left": "on the left side",
    "centre": "in the centre",
    "right": "on the right side",
    "lower-left": "at the lower left",
    "bottom": "at the bottom",
    "lower-right": "at the lower right",
}
_NEGATIVES = {
    "dust": "dust specks",
    "glare": "a patch of glare",
    "label": "a printed label",
    "tool mark": "regular tool marks",
}


def noun_of(surface: str, part_shape: str) -> str:
    """Returns what a person calls the part, e.g. `brushed steel plate`."""
    if surface == "fabric" and part_shape == "plate":
        return "woven fabric patch"
    return f"{_SURFACES[surface]} {_SHAPES[part_shape]}"


def article(words: str) -> str:
    """Returns words with `a` or `an` before them."""
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def _adjective(defect: TrueDefect) -> str:
    """Returns a size word that the length in pixels bears out."""
    small, large = (70, 170) if defect.type in ("scratch", "crack") else (35, 80)
    thin = defect.type in ("scratch", "crack")
    if defect.length_px < small:
        return "short" if thin else "small"
    if defect.length_px > large:
        return "long" if thin else "large"
    return "thin" if thin else "clear"


def _named(defect: TrueDefect) -> str:
    if defect.type == "contamination":
        return f"{article(_adjective(defect))} contamination stain"
    return f"{article(_adjective(defect))} {defect.type}"


def defect_sentences(noun: str, defect: TrueDefect) -> tuple[str, ...]:
    """Returns captions of one defect as seen close up."""
    return (
        f"{_named(defect)} on the surface of {article(noun)}",
        f"{_named(defect)} {_WHERE[defect.place]} of {article(noun)}",
    )


def negative_sentence(noun: str, negative: TrueNegative) -> str:
    """Returns the caption of a harmless mark."""
    return f"{_NEGATIVES[negative.type]} on {article(noun)}, not a defect"


def sentences(
    noun: str, defects: Sequence[TrueDefect], negatives: Sequence[TrueNegative], rng: np.random.Generator
) -> tuple[str, ...]:
    """Returns captions of the whole picture: the first terse, the second full, the third put differently."""
    if not defects:
        kinds = sorted({negative.type for negative in negatives})
        extra = (
            f" with {' and '.join(_NEGATIVES[kind] for kind in kinds)} and no defect"
            if kinds
            else " without defects"
        )
        more = (
            f"a photo of a flawless {noun}",
            f"a clean {noun} in good condition",
            f"{article(noun)} with an undamaged surface",
        )
        return (
            f"{article(noun)} without any defect",
            f"{article(noun)}{extra}",
            more[int(rng.integers(3))],
        )
    types = " and ".join(dict.fromkeys(defect.type for defect in defects))
    full = " and ".join(f"{_named(defect)} {_WHERE[defect.place]}" for defect in defects)
    more = (
        f"a photo of a damaged {noun} showing {types}",
        f"a defective {noun}, {types} visible",
        f"{_named(defects[0])} on the surface of {article(noun)}",
    )
    return (
        f"{article(noun)} with {' and '.join(_named(d) for d in defects)}",
        f"{article(noun)} with {full}",
        more[int(rng.integers(3))],
    )
