"""Captions: BLIP's words on regions, the rules that they must pass, and their translation."""

from __future__ import annotations
