"""The child process in which formulas are compared, so that SymPy can be stopped when it takes too long.

Writes one line when it is ready. Then reads one request a line, a JSON object with two formulas and a time limit, and
writes one answer a line: the settings at which the other formula is the one. `discover.disguise.symbolic` asks.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from discover.disguise.normal import Formula
from discover.disguise.searching import special_case


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Settings and constants of ``other`` at which it is ``one``, if there are; and whether all were tried."""
    one, other = (Formula(**{key: _tuple(value) for key, value in request[side].items()}) for side in ("one", "other"))
    found, ended = special_case(
        one.expression("one"), other.expression("other"), signed=other.signed, seconds=request["seconds"]
    )
    if found is None:
        return {"found": False, "ended": ended}
    return {"found": True, "ended": True, "settings": found.settings, "constants": dict(found.constants)}


def _tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def main() -> None:
    """Answer requests until standard input ends."""
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        try:
            told = answer(json.loads(line))
        except Exception as error:  # whatever SymPy stumbles over, the next pair is another one
            told = {"error": f"{type(error).__name__}: {error}"[:500]}
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
