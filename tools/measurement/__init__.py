"""Measurement: from a box to an outline, and from that to sizes with their uncertainty."""

from __future__ import annotations
