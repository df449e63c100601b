"""Localization: the detector, its tiles and boxes, and what becomes a finding."""

from __future__ import annotations
