"""The fixed order over a batch: its stages, the engines that they use, and the journal of a run."""

from __future__ import annotations
