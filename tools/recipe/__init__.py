"""The recipe: its schema, its files and what is wrong with one."""

from __future__ import annotations

from tools.recipe.schema import (
    Acceptance,
    ArucoScale,
    Captioning,
    ChessboardScale,
    DefectType,
    FixedScale,
    Label,
    Localization,
    Models,
    Part,
    Recipe,
    References,
    ScaleSpec,
    ScreeningSettings,
    TwoPointScale,
    Zone,
)

__all__ = [
    "Acceptance",
    "ArucoScale",
    "Captioning",
    "ChessboardScale",
    "DefectType",
    "FixedScale",
    "Label",
    "Localization",
    "Models",
    "Part",
    "Recipe",
    "References",
    "ScaleSpec",
    "ScreeningSettings",
    "TwoPointScale",
    "Zone",
]
