from __future__ import annotations

import pytest

from tools.captioning.rules import caption_faults, clean_caption
from tools.recipe import Part
from tools.recipe.file import load_recipe
from tools.records import Measurement, Quantity, Unit

SIZES = (
    Measurement(quantity=Quantity.LENGTH, value=6.2, uncertainty=0.3, unit=Unit.MM, method="test"),
    Measurement(quantity=Quantity.AREA, value=1.9, uncertainty=0.4, unit=Unit.MM2, method="test"),
)
SCRATCH = {"scratch": 1}


@pytest.mark.parametrize(
    ("caption", "counts", "faults"),
    [
        ("a long thin scratch on a metal plate", SCRATCH, ()),
        ("A Scratched surface near the edge of the stainless steel cover.", SCRATCH, ()),
        ("a thin line near the upper edge", SCRATCH, ()),
        ("a scratch", SCRATCH, ("short",)),
        ("", SCRATCH, ("short",)),
        ("!!! ??? ... --- ,,,", SCRATCH, ("short",)),
        ("there is maybe a scratch on it", SCRATCH, ("hedging",)),
        ("possibly a scratch on a metal plate", SCRATCH, ("hedging",)),
        ("a metal plate that looks like it has a scratch", SCRATCH, ("hedging",)),
        ("it could be a scratch on metal", SCRATCH, ("hedging",)),
        ("a metal plate that may have a scratch", SCRATCH, ("hedging",)),
        ("a scratch of uncertain origin on metal", SCRATCH, ("hedging",)),
        ("what appears to be a long scratch", SCRATCH, ("hedging",)),
        ("this seems a scratch on a plate", SCRATCH, ("hedging",)),
        ("a mighty long scratch on a plate", SCRATCH, ()),
        ("a small dent in a metal plate", SCRATCH, ("other type",)),
        ("a scratch and a crack on the plate", SCRATCH, ("other type",)),
        ("a cracked metal plate with a line", SCRATCH, ("other type",)),
        ("an oil stain on a metal plate", SCRATCH, ("other type",)),
        ("a ding in a scratched metal plate", SCRATCH, ("other type",)),
        ("a strong glare on a metal plate", SCRATCH, ("other type",)),
        ("a scratch beside a printed label here", SCRATCH, ()),
        ("identical metal plates on a white table", SCRATCH, ()),
        ("a flawless metal plate on a table", SCRATCH, ("flawless",)),
        ("a metal plate without any visible defects", SCRATCH, ("flawless",)),
        ("a metal plate with no scratches anywhere", SCRATCH, ("flawless",)),
        ("a metal plate without any visible scratches on it", SCRATCH, ("flawless",)),
        ("a clean metal plate free of scratches", SCRATCH, ("flawless",)),
        ("there is no sign of a scratch on the plate", SCRATCH, ("flawless",)),
        ("a steel plate that is not scratched at all", SCRATCH, ("flawless",)),
        ("a steel plate that isn't scratched anywhere", SCRATCH, ("flawless",)),
        ("a metal plate that is not damaged", SCRATCH, ("flawless",)),
        ("a scratch-free metal plate on a table", SCRATCH, ("flawless",)),
        ("a scratch that is not deep on a plate", SCRATCH, ()),
        ("a scratch on a plate without any label", SCRATCH, ()),
        ("a metal plate with no paint and a scratch", SCRATCH, ()),
        ("a plate that is not painted has a scratch", SCRATCH, ()),
        ("there is no doubt a scratch on the plate", SCRATCH, ()),
        ("a thin scratch and no other damage on it", SCRATCH, ()),
        ("not only a scratch but a long scratch", SCRATCH, ()),
        ("a scratch free of dust on a plate", SCRATCH, ()),
        ("a flawless metal plate on a table", {}, ()),
        ("a scratch on a metal plate surface", {}, ("other type",)),
        ("some dust lies on a metal plate", {}, ()),
        ("a crack or dent in a plate", {"unclassified": 1}, ("other type",)),
        ("a crack or dent in a plate", {"unclassified": 1, "crack": 1}, ("other type",)),
        ("a long crack in a plate", {"unclassified": 1, "crack": 1}, ()),
        ("a label with printed text on it", {"unclassified": 1}, ("other type",)),
        ("a biscuit with a bitten edge", {"unclassified": 1}, ()),
        ("a scratch 6 mm long on a plate", SCRATCH, ()),
        ("a scratch 0.62 cm long on a plate", SCRATCH, ()),
        ("a scratch 9 mm long on a plate", SCRATCH, ("number",)),
        ("a scratch about 6.2 inches long here", SCRATCH, ("number",)),
        ("a scratch six millimeters long on metal", SCRATCH, ()),
        ("a scratch of 62 px on metal", SCRATCH, ("number",)),
        ("a scratch covering 2 mm2 of the plate", SCRATCH, ()),
        ("two long scratches on a metal plate", SCRATCH, ("number",)),
        ("one long scratch on a metal plate", SCRATCH, ()),
        ("two long scratches on a metal plate", {"scratch": 2}, ()),
        ("3 scratches on a metal plate here", {"scratch": 2}, ("number",)),
        ("a scratch on a plate with two holes", SCRATCH, ()),
        ("part number 1234 with a thin scratch", SCRATCH, ("number",)),
        ("a bright horizontal thin scratch on a plastic surface", SCRATCH, ("other material",)),
        ("a plastic plate with a scratch", SCRATCH, ("other material",)),
        ("a dent on a woven fabric patch", SCRATCH, ("other type", "other material")),
        ("a thin scratch on a brushed steel surface", SCRATCH, ()),
        ("a scratch on metal beside a rubber seal", SCRATCH, ()),
        ("a thin scratch on a painted surface", SCRATCH, ()),
        ("maybe 2 dents", SCRATCH, ("short", "hedging", "other type", "number")),
    ],
)
def test_faults(caption: str, counts: dict[str, int], faults: tuple[str, ...]) -> None:
    assert caption_faults(caption, load_recipe(), counts, SIZES) == faults


@pytest.mark.parametrize(
    ("part", "caption", "contradicted"),
    [
        ({"noun": "brushed steel plate"}, "a thin scratch on a metal surface", False),
        ({"noun": "brushed steel plate"}, "a thin scratch on stainless steel", False),
        ({"noun": "brushed steel plate"}, "a thin scratch on an aluminum sheet", True),
        ({"noun": "brushed steel plate"}, "a thin scratch on Plastic housing", True),
        ({"noun": "metal part with a rubber seal"}, "a thin scratch on black rubber", False),
        ({"noun": "woven fabric patch"}, "a thin scratch on a metal surface", True),
        ({"noun": "part"}, "a thin scratch on a plastic surface", False),
        ({"noun": "part", "name": "Metal cover"}, "a thin scratch on a plastic surface", True),
        ({"noun": "part", "name_ko": "금속 커버"}, "a thin scratch on a plastic surface", True),
        ({"noun": "part", "name_ko": "플라스틱 커버"}, "a thin scratch on a plastic surface", False),
        ({"noun": "rubber gasket", "name": "Steel works gasket"}, "a thin scratch on grey rubber", False),
    ],
)
def test_a_caption_names_no_other_material_than_the_parts(
    part: dict[str, str], caption: str, contradicted: bool
) -> None:
    recipe = load_recipe()
    given = recipe.model_copy(update={"part": Part(**{"name": "Cover", **part})})
    assert caption_faults(caption, given, SCRATCH, SIZES) == (("other material",) if contradicted else ())


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("  a  thin\n\tscratch .", "a thin scratch"),
        ('the "PASS" sticker\x1b[31m', "the 'PASS' sticker [31m"),
        ("x" * 500, "x" * 200),
    ],
)
def test_clean_caption_can_be_quoted(raw: str, clean: str) -> None:
    assert clean_caption(raw) == clean
