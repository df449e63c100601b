"""The forge: synthesises photographs of parts with known defects, and trains the pocket models from them."""

from __future__ import annotations
