"""The child process: asks PySR what `discover.engines.pysr.process` wrote down, and ends."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Mapping
from typing import Any

import numpy as np


def fit(request: str) -> None:
    """Search, in the child process, and end it; an exception's traceback is read by the parent.

    Julia is called from the main thread only, which is also the one that imported it.

    Parameters
    ----------
    request
        The text of a `discover.engines.pysr.process.request`.
    """
    import pysr

    asked = json.loads(request)
    threading.Thread(target=_end_with, args=(asked["parent"],), daemon=True).start()
    keywords, question = asked["arguments"], asked["question"]
    if keywords["constraints"]:
        keywords["constraints"] = {name: tuple(limits) for name, limits in keywords["constraints"].items()}
    model = pysr.PySRRegressor(**keywords, expression_spec=_text_only(pysr, question["template"]))
    model.fit(
        np.column_stack(list(question["columns"].values())),
        np.array(question["target"]),
        variable_names=list(question["columns"]),
    )
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # the files are written; taking Julia down at exit could only spoil it


def _text_only(pysr: Any, template: Mapping[str, Any] | None) -> Any:
    """The form of the equations, which stay text.

    PySR would make columns of them, not needed here, of plain ones by `sympify`, which evaluates text. A class inside
    a function cannot be pickled either, so that PySR leaves no checkpoint (`_checkpoint`), which nobody may read.
    """
    form = pysr.ExpressionSpec if template is None else pysr.TemplateExpressionSpec

    class Text(form):  # type: ignore[misc, valid-type]
        def create_exports(self, model: Any, equations: Any, *_: Any) -> Any:
            return equations[[]]

    return Text(**(template or {}))


def _end_with(parent: int) -> None:
    """End this process when its parent is gone, in the releases of PySR in which Python runs while Julia searches."""
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)
