"""Moved: import from `vestige.risk.dynamics` (this file goes away)."""

from vestige.risk.dynamics import Association, Bin, Curve, Dynamics, Figure, Transition

__all__ = ["Association", "Bin", "Curve", "Dynamics", "Figure", "Transition"]
