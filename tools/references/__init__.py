"""References: what good parts look like, patch by patch, and how far a new image is from that."""

from __future__ import annotations
