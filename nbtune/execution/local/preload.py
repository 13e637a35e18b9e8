"""Imported by the process that workers are forked from, before the first of them: what takes long, TensorFlow above all.

That process belongs to the supervisor, and to nobody when the supervisor is gone, also while it imports.
"""

from nbtune.execution.local.parent import end_with_parent

end_with_parent()

from nbtune.execution.local import worker, workerprocess  # noqa: E402, F401
from nbtune.training import steady  # noqa: E402, F401 - which takes note of what Keras is like before any function has run
