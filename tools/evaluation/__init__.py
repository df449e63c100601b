"""Evaluation: labelled sets, the figures of a checkpoint on them, and their definitions."""

from __future__ import annotations
