"""Screening: what a whole image is held against, and the one suspicion that follows."""

from __future__ import annotations
