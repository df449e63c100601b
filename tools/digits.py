"""Numbers as people write them: those of a recipe, a suspicion beside its threshold, and shares."""

from __future__ import annotations

from decimal import Decimal

__all__ = ["beside_threshold", "percent", "plain", "plain_percent"]

_LEAST = 2  # decimals of a suspicion
_MOST = 6  # to which a screening is rounded

_FINEST = 8  # decimals of a percentage: what is nearer to none or all is an error of the last bit


def plain(number: float) -> str:
    """Writes a number with all its digits and no exponent: `0.4`, `5`, `1250000`."""
    return f"{Decimal(repr(number)).normalize():f}"


def beside_threshold(suspicion: float, threshold: float) -> tuple[str, str]:
    """Writes a suspicion and its threshold so that nobody reads them the wrong way round.

    The threshold has its own digits; the suspicion has as many decimals, at least two, and more where the two
    would look alike although they differ.
    """
    limit = plain(threshold)
    least = max(_LEAST, len(limit.partition(".")[2]))
    said = [f"{suspicion:.{decimals}f}" for decimals in range(least, max(least, _MOST) + 1)]
    return next((each for each in said if float(each) != threshold), said[0]), limit


def percent(share: float) -> str:
    """Writes a share with one decimal, and more where it would read as none or all although it is neither."""
    said = [f"{100 * share:.{decimals}f}" for decimals in range(1, _FINEST + 1)]
    return f"{next((each for each in said if 0 < float(each) < 100), said[0])} %"


def plain_percent(share: float) -> str:
    """Writes a share of 1 with all its digits: `5%`, `0.5%`."""
    return f"{plain(round(100 * share, 6))}%"
