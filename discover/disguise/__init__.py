"""Is a law another one in disguise: the same, a special case, or a generalisation; by formula, and by predictions.

The two answers are given apart, since each sees what the other cannot: formulas differ in how they are written, and
predictions over the range of some data do not say which constants were set to what.
"""

from discover.disguise.numeric import Met, Numeric, Place, numerically
from discover.disguise.relation import Relation
from discover.disguise.symbolic import Symbolic, Symbolically

__all__ = ["Met", "Numeric", "Place", "Relation", "Symbolic", "Symbolically", "numerically"]
