"""One robust fitter for published and found laws alike."""

from discover.fitting.fitter import Fit, FitWarning, fit
from discover.fitting.objective import Objective

__all__ = ["Fit", "FitWarning", "Objective", "fit"]
