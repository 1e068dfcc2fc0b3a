"""The engine `pysr`: PySR, evolutionary search in Julia, run in a child process whose hall of fame is read meanwhile.

- `engine`: the search, as a stream of candidates; `process` and `child` run PySR.
- `arguments`, `loss`, `operators`, `options`: what PySR is given.
- `forms`, `templates`: one expression, or one with a floor and a scale for each group of rows.
- `expressions`, `guesses`: known laws as Julia's text, where a search begins.
- `earlier`: what a search that was killed left, from which the next one goes on.
"""

from discover.engines.pysr.engine import ENGINE, PySR

__all__ = ["ENGINE", "PySR"]
