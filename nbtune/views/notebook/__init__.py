"""What a notebook shows: a live panel, and outputs that last."""
