"""How trials are trained: together, each on its own, or whatever suits them. The values of `--engine`."""

AUTO, FUSED, TRIAL = "auto", "fused", "trial"
ENGINES = (AUTO, FUSED, TRIAL)
