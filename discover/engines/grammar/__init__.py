"""The engine `grammar`: a beam search over the shapes that scaling laws have, in NumPy, the same answer every time."""

from discover.engines.grammar.engine import ENGINE, Grammar

__all__ = ["ENGINE", "Grammar"]
