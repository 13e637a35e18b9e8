"""Why trials are not trained together."""

from __future__ import annotations


class CannotFuse(Exception):
    """These trials cannot be trained as one computation with the same numbers; the message is the reason."""
