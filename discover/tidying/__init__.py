"""Tidying the rows of a dataset as its card says: one step a file."""

from discover.tidying.cells import HELD_OUT, Where
from discover.tidying.tidy import Tidied, tidy, tidy_rows

__all__ = ["HELD_OUT", "Tidied", "Where", "tidy", "tidy_rows"]
