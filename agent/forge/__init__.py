"""Makes the pocket vision-language model: its language, its behaviour, its sight, its training."""

from __future__ import annotations
