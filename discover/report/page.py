"""The report of a run as one page of HTML."""

from __future__ import annotations

import math

import jinja2

from discover.choice_text import choice_lines
from discover.result import Result
from discover.sanity import SanityCard

_TEMPLATE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{ dataset }}: found laws</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
table { border-collapse: collapse; width: 100%; font-size: 13px } th, td { padding: .3rem .5rem; text-align: right }
th { border-bottom: 1px solid #444 } td:nth-child(1), td:nth-child(2), td:nth-child(3) { text-align: left }
tr.selected { background: #eef6e8; font-weight: 600 } code { font-size: 13px } img { max-width: 100% }
tr.fail td:nth-child(2) { color: #b00020 } tr.unknown td:nth-child(2) { color: #8a6100 }
.generated { background: #fff4d6; padding: .4rem .7rem }
</style></head><body>
<h1>{{ title }}</h1>
<p>{{ dataset }}: {{ n_training }} training rows, {{ n_held_out }} held out.</p>
{% if generated %}<p class="generated">These rows were not measured: they were {{ generated }}.</p>{% endif %}
{% if selected %}<h2>The chosen law</h2><p><code>{{ target }} = {{ selected.formula }}</code></p>
{% for group, constants in selected.groups %}<p>{% if group %}{{ group }}: {% endif %}{% for name, value in constants %}
<code>{{ name }} = {{ value }}</code>{% if not loop.last %}, {% endif %}{% endfor %}</p>
{% endfor %}<p>It was chosen without seeing a held-out row. {{ verdict }}</p>
{% if sanity %}<h2>How it behaves</h2><p>Over the training rows and 100 times beyond them.</p>
<table class="sanity"><tr><th>check</th><th>verdict</th><th>witness</th></tr>
{% for line in sanity %}<tr class="{{ line.verdict }}"><td>{{ line.name }}</td><td>{{ line.verdict }}</td>
<td>{{ line.witness }}</td></tr>
{% endfor %}</table>{% endif %}
{% else %}<p>{{ verdict }}</p>{% endif %}
{% if choice %}<h2>How it was chosen</h2>{% for line in choice_lines %}<p>{{ line }}</p>
{% endfor %}{% if choice.objectives %}<table class="objectives"><tr><th>loss</th><th>inner error</th></tr>
{% for name, error in choice.objectives.items() %}<tr{% if name == choice.objective %} class="selected"{% endif %}>
<td>{{ name }}</td><td>{{ "infinite" if error is none else "%.3g"|format(error) }}</td></tr>
{% endfor %}</table>
{% endif %}<p>Inner hold-outs: {{ choice.inner_hold_outs|join("; ") }}.</p>{% endif %}
{% if compared %}<h2>Against known laws</h2><p>Difference of the held-out RMSE in {{ unit }}, chosen law less the other,
with {{ "%g"|format(100 * compared[0].level) }} % {{ compared[0].interval }} intervals
over {{ compared[0].resamples }} resamples of {{ compared[0].units }} {{ compared[0].resampled }}s;
the constants were not fitted again.
{%- if compared[0].note %} {{ compared[0].note }}.{% endif %}</p>
<table><tr><th>law</th><th>kind</th><th>RMSE</th><th>ratio</th><th>difference</th><th>interval</th>
<th>chosen law wins</th></tr>
{% for row in compared %}<tr><td>{{ row.law }}</td><td>{{ row.kind }}</td><td>{{ row.rmse|number }}</td>
<td>{{ "%.2f"|format(row.ratio) }}</td><td>{{ row.difference|number("%+.2g") }}</td>
<td>{{ row.low|number("%+.2g") }} to {{ row.high|number("%+.2g") }}</td>
<td>{{ (100 * row.wins)|number("%.0f %%") }}</td></tr>
{% endfor %}</table>{% endif %}
<h2>Leaderboard</h2><p>Errors in {{ unit }}; best on the {{ "held-out rows" if scored else "inner hold-outs" }} first.
{%- if not scored %} No held-out row was scored.{% endif %}</p>
<table><tr><th>law</th><th>kind</th><th>formula</th><th>constants</th><th>training RMSE</th><th>inner RMSE</th>
<th>held-out RMSE</th><th>held-out MAPE</th><th>sane</th></tr>
{% for row in rows %}<tr{% if row.selected %} class="selected"{% endif %}><td>{{ row.law }}</td><td>{{ row.kind }}</td>
<td>{% if row.kind == "ensemble" %}{{ row.note }}{% else %}<code>{{ row.formula }}</code>{% endif %}</td>
<td>{{ row.n_constants }}</td><td>{{ row.train_rmse|number }}</td>
<td>{{ row.inner_rmse|number }}</td><td>{{ row.heldout_rmse|number }}</td>
<td>{{ row.heldout_mape|number("%.2f %%") }}</td><td>{{ "yes" if row.sane else "no" }}</td></tr>
{% endfor %}</table>
{% if selected %}<h2>Figures</h2><p>{% if sized %}<img src="figures/loss_against_size.png" alt="loss against size">
{% endif %}<img src="figures/parity.png" alt="predicted against measured loss"></p>{% endif %}
</body></html>
"""


def page(result: Result, sanity: SanityCard | None = None) -> str:
    """The report of a run: the chosen law and its sanity card, the leaderboard, and the figures beside it."""
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    environment.filters["number"] = _number
    board = result.leaderboard
    selected = None
    if result.selected is not None:
        fit = result.selected.fit
        groups = [
            (group, [(name, f"{value:.5g} ± {part.errors[name]:.2g}") for name, value in part.values.items()])
            for group, part in fit.parts.items()
        ]
        selected = {"formula": fit.law.formula, "groups": groups}
    return environment.from_string(_TEMPLATE).render(
        title=result.folder.manifest.get("experiment", result.dataset.name),
        dataset=result.dataset.label,
        generated=result.dataset.generated,
        n_training=result.judged[0].fit.n_rows if result.judged else 0,
        n_held_out=result.folder.dataset.get("held_out_rows", 0),
        target=result.dataset.target.symbol,
        unit=result.dataset.target.unit,
        selected=selected,
        sized=(result.folder.path / "figures" / "loss_against_size.png").is_file(),
        verdict=result.verdict(),
        sanity=sanity.lines if sanity is not None else (),
        choice=result.choice,
        choice_lines=choice_lines(result.choice),
        rows=board.to_dict(orient="records"),
        scored=result.scored,
        compared=[] if result.comparison is None else result.comparison.to_dict(orient="records"),
    )


def _number(value: float, form: str = "%.4f") -> str:
    """A number as it is shown; a dash where there is none."""
    return "–" if math.isnan(value) else form % value
