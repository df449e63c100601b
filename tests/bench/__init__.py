"""`make bench`: how fast, how frugal and how exact, as ratios to the usual way measured in the same run."""

from __future__ import annotations
