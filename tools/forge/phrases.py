"""The many ways in which people say what a picture of a part shows: the English of the pocket CLIP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.forge.truth import DEFECT_TYPES, HARD_NEGATIVES

if TYPE_CHECKING:
    import numpy as np

__all__ = ["LABELS", "corpus", "material_prompt", "state_prompts"]

LABELS = ("normal", *DEFECT_TYPES, *HARD_NEGATIVES)

# After "a {noun} with ...".
_PHRASES: dict[str, tuple[str, ...]] = {
    "scratch": (
        "scratch", "a scratch", "scratches", "a long thin scratch", "a short scratch", "a scratched surface",
        "a thin scraped line", "a scuff", "a scrape", "a score line", "a scoring mark", "a gouge",
        "a scored line", "a bright scratch", "a fine scratch", "a deep scratch", "a hairline scratch",
        "a scratch mark", "scratch marks", "an abrasion", "a scraped surface",
        "a curved thin line scratched into it", "a shiny line scratched into the surface", "linear damage",
        "a light scratch",
    ),
    "dent": (
        "dent", "a dent", "dents", "a dented area", "a shallow round hollow", "a pressed-in dimple",
        "impact damage", "a ding", "a dimple", "a depression", "an indentation", "a small dent",
        "a round dent", "a deep dent", "a dented surface", "a hollow", "a pressed-in spot", "a bump",
        "a knock mark", "a shallow dent", "a pit pressed into the surface", "a local depression",
        "a deformed area", "an impact mark", "a sunken spot",
    ),
    "crack": (
        "crack", "a crack", "cracks", "a dark branching crack", "a fracture line", "a cracked surface",
        "a fracture", "a fissure", "a split", "a jagged crack", "a hairline crack", "a branching crack",
        "a dark jagged line", "a break", "a broken surface", "a crack in the surface", "a fine crack",
        "a deep crack", "a tear", "a thin dark crack", "a fatigue crack", "a ruptured surface", "a crevice",
        "a cracked area",
    ),
    "contamination": (
        "contamination", "a stain", "an oil stain", "a dirty spot", "a rust spot", "residue", "a smudge",
        "dirt", "rust", "corrosion", "foreign matter", "grease", "a contaminated surface", "a stained area",
        "an oily spot", "a dark stain", "a blotch", "discoloration", "a discoloured patch", "grime",
        "a spill", "a dried droplet", "a rusty patch", "stains", "a greasy smear", "a contamination stain",
        "a dirty surface", "soiling",
    ),
    "dust": (
        "dust", "dust specks", "a loose fibre", "lint", "a hair", "fluff", "a speck of dust",
        "dust particles", "a loose fiber", "loose dust on it", "tiny specks of dust", "a curled fibre",
        "a few dust particles", "a thread lying on it", "dusty specks",
    ),
    "glare": (
        "glare", "a bright reflection", "a specular highlight", "a reflection", "a highlight",
        "a patch of glare", "a light reflection", "an overexposed spot", "a bright glare spot",
        "a shiny reflection", "lens glare", "a reflected lamp", "a bright highlight",
    ),
    "label": (
        "label", "a printed label", "a sticker", "printed text", "a barcode", "a label", "a paper label",
        "a tag", "a serial number label", "a sticker with text", "a bar code sticker", "lettering",
        "a printed sticker", "an adhesive label",
    ),
    "tool mark": (
        "tool mark", "tool marks", "regular machining marks", "parallel machining lines", "machining marks",
        "regular tool marks", "milling marks", "a clamp mark", "regular parallel marks",
        "parallel tool marks", "periodic machining grooves", "cutting marks", "clamp prints",
        "regular parallel grooves",
    ),
}  # fmt: skip
_NORMAL_STATES = (
    "{noun}", "flawless {noun}", "perfect {noun}", "unblemished {noun}", "{noun} without flaw",
    "{noun} without defect", "{noun} without damage", "clean {noun}", "good {noun}", "normal {noun}",
    "{noun} in good condition", "{noun} with no defects", "undamaged {noun}", "intact {noun}",
    "{noun} without defects", "{noun} without any defect", "{noun} with an undamaged surface",
    "{noun} without flaws", "defect-free {noun}", "spotless {noun}", "{noun} with a clean surface",
    "pristine {noun}", "faultless {noun}",
)  # fmt: skip
_MARK_STATES = (
    "{noun} with {phrase}", "{noun} with {phrase}", "{noun} with {phrase}", "{noun} with {phrase}",
    "{noun} showing {phrase}", "{noun} that has {phrase}",
)  # fmt: skip
_HARMLESS_STATES = (*_MARK_STATES, "{noun} with {phrase}, not a defect", "good {noun} with {phrase}")
# `{one}` is a state with its article: "a {}", "the {}".
_TEMPLATES = (
    "{one}", "{one}", "{one}.", "a photo of {one}", "a photo of {one}", "a close-up photo of {one}",
    "a cropped photo of {one}", "a bright photo of {one}", "a dark photo of {one}",
    "a blurry photo of {one}", "a good photo of {one}", "a low resolution photo of {one}",
    "a black and white photo of {one}", "a photo of a small {bare}", "a photo of the small {bare}",
    "a photo of a large {bare}", "a photo of the large {bare}", "a jpeg corrupted photo of {one}",
    "a close-up of {one}", "a macro photo of {one}", "a photo of {one} for visual inspection",
    "a photo of {one} for anomaly detection", "there is {one} in the photo", "a picture of {one}",
    "this is {one}", "an image of {one}", "an inspection photo of {one}", "a jpeg photo of {one}",
)  # fmt: skip
_PLAIN_NOUNS = (
    "part", "object", "surface", "metal surface", "product", "component", "item", "metal part", "workpiece",
    "cover", "metal cover", "material", "metal plate", "plate", "casting", "housing", "panel", "metal",
    "tile", "machine part", "painted metal cover", "brushed metal plate", "sheet", "textile", "carpet",
    "leather", "wood",
)  # fmt: skip
# Words of inspection that no synthesised sentence holds, so that the tokenizer knows them as words too.
_GENERAL = (
    "the inspector accepts or rejects the part after visual inspection of the surface",
    "quality control of a manufactured product on the production line",
    "screw bolt nut bearing gear shaft housing glass ceramic wood leather tile carpet grid cable bottle",
    "hazelnut pill toothbrush transistor zipper hammer casting impeller pump magnetic tile concrete bridge",
    "hole burr chip scale inclusion porosity void blister peeling paint flaking missing broken bent",
    "welding seam solder joint circuit board printed electronics steel copper brass titanium polished matt",
    "what is wrong with this component? which image shows a defect? find the most similar picture",
    "left right top bottom centre center corner edge upper lower middle near far",
    "red green blue grey gray black white yellow orange brown silver gold glossy",
    "small large long short thin thick wide narrow round square curved straight",
    "anomaly anomalous abnormal defective faulty damaged worn spalling wear patches rolled-in pitted crazing",
)


def _with_article(state: str, rng: np.random.Generator) -> str:
    if rng.random() < 0.3:
        return f"the {state}"
    return f"{'an' if state[0] in 'aeiou' else 'a'} {state}"


def _sentence(label: str, noun: str, template: str, rng: np.random.Generator) -> str:
    if label == "normal":
        state = str(rng.choice(_NORMAL_STATES))
        phrase = ""
    else:
        state = str(rng.choice(_MARK_STATES if label in DEFECT_TYPES else _HARMLESS_STATES))
        phrase = str(rng.choice(_PHRASES[label]))
    bare = state.replace("{noun}", noun).replace("{phrase}", phrase)
    return template.replace("{one}", _with_article(bare, rng)).replace("{bare}", bare)


def state_prompts(nouns: tuple[str, ...], rng: np.random.Generator) -> list[str]:
    """Returns one sentence per label, in the order of `LABELS`, all with the same noun and template.

    This is what zero-shot screening compares a picture with, so it is what CLIP learns to tell apart.

    Args:
        nouns: Nouns of synthesised parts, among which (and plainer ones) to choose.
        rng: Chooses the noun, the template and the wording.
    """
    noun = str(rng.choice(nouns if rng.random() < 0.6 else _PLAIN_NOUNS))
    template = str(rng.choice(_TEMPLATES))
    return [_sentence(label, noun, template, rng) for label in LABELS]


def material_prompt(noun: str, rng: np.random.Generator) -> str:
    """Returns a sentence that names the part and says nothing of its state."""
    template = str(rng.choice(_TEMPLATES))
    return template.replace("{one}", _with_article(noun, rng)).replace("{bare}", noun)


def corpus(nouns: tuple[str, ...], rng: np.random.Generator) -> list[str]:
    """Returns sentences to learn a tokenizer from: prompts, names of parts, general inspection English."""
    prompts = [sentence for _ in range(400) for sentence in state_prompts(nouns, rng)]
    return [*prompts, *nouns, *_GENERAL * 5, *_PLAIN_NOUNS]
