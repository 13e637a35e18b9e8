"""The colours of scores: from dark blue for the worst to yellow for the best, which colour-blind people see as dark to light.

S. van der Walt and N. Smith's viridis, at ten places and straight lines between them.
"""

from __future__ import annotations

from typing import NamedTuple

SHADES = 48
_STOPS = (
    *((68, 1, 84), (72, 40, 120), (62, 74, 137), (49, 104, 142), (38, 130, 142)),
    *((31, 158, 137), (53, 183, 121), (109, 205, 89), (180, 222, 44), (253, 231, 37)),
)
_DARK, _LIGHT = "#222222", "#ffffff"


class Shade(NamedTuple):
    """A fill, and the ink that reads best on it."""

    fill: str
    ink: str


def _shade(at: float) -> Shade:
    place = at * (len(_STOPS) - 1)
    i = min(int(place), len(_STOPS) - 2)
    rgb = [round(a + (place - i) * (b - a)) for a, b in zip(_STOPS[i], _STOPS[i + 1], strict=True)]
    light = _luminance(rgb)
    # contrast ratios of WCAG 2.1; black is not quite black here
    ink = _DARK if (light + 0.05) / (_luminance([0x22] * 3) + 0.05) > 1.05 / (light + 0.05) else _LIGHT
    return Shade(f"#{rgb[0]:02x}{rgb[1]:02x}{rgb[2]:02x}", ink)


def _luminance(rgb: list[int]) -> float:
    """Relative luminance of an sRGB colour (WCAG 2.1)."""
    parts = [c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in rgb]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True))


PALETTE = tuple(_shade(i / (SHADES - 1)) for i in range(SHADES))


def shade_of(good: float) -> int:
    """The place in `PALETTE` of 0 for the worst to 1 for the best; what lies beyond has the colour of that end."""
    return round(min(max(good, 0.0), 1.0) * (SHADES - 1))
