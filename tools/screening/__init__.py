"""Screening: what CLIP is asked about each image, and what it answers."""

from __future__ import annotations
