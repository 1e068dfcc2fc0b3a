"""Which columns are the quantities of scaling laws, and which quantities can be computed from others."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from discover.dataset_card import GROUP, FeatureKind
from discover.errors import DataError, InputError, one_of
from discover.formula import is_name
from discover.proposal.columns import Column, vocabulary
from discover.proposal.quantities import (
    EPOCHS,
    LENGTH,
    PER_PARAMETER,
    QUANTITIES,
    WIDTH,
    Quantity,
    logarithm_of,
    scale_of,
)

NEARLY_ONE = 1.05  # a size that varies by less than this factor is no size
SIZE_OF_MODELS = 1e5  # where a column that is called size counts parameters
TOKENS_A_BATCH = 16_384  # a batch of as many is counted in tokens
SYMBOLS = frozenset(quantity.symbol for quantity in QUANTITIES) | {"N_nv", "N_v", "L"}
_NO_EMBEDDINGS = vocabulary("nonemb nonembedding nonembed")
_OF_PART = vocabulary("embed embedding embeddings vocab vocabulary")
_ACTIVE = vocabulary("active activated dense na")


@dataclass(frozen=True)
class Trait:
    """A proposed feature; ``inputs`` are the columns of the file that it is read or computed from."""

    symbol: str
    kind: FeatureKind
    unit: str
    meaning: str
    inputs: tuple[str, ...]
    column: str | None = None
    formula: str | None = None
    columns: Mapping[str, str] | None = None
    tolerance: float | None = None
    normalise: bool = False
    named: bool = False  # the user asked for it
    why: str = ""

    @property
    def vector(self) -> bool:
        """Whether it is several columns, one a component."""
        return self.kind in ("mixture", "category")

    @property
    def source(self) -> str:
        """What it is read from, for a person."""
        return self.formula or ", ".join(repr(column) for column in self.inputs)


@dataclass
class Draft:
    """What is known so far; the steps of a proposal add to it."""

    columns: dict[str, Column]
    traits: dict[str, Trait] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)  # column -> short name
    taken: set[str] = field(default_factory=set)  # names that no alias may have
    asides: dict[str, list[str]] = field(default_factory=dict)  # reason -> columns
    labels: list[str] = field(default_factory=list)  # columns that row rules may name
    lines: list[str] = field(default_factory=list)
    checks: list[str] = field(default_factory=list)

    def aside(self, reason: str, *columns: str) -> None:
        """Leave columns aside, for a reason."""
        done = {column for others in self.asides.values() for column in others} | set(self.labels)
        self.asides.setdefault(reason, []).extend(column for column in columns if column not in done)

    def short(self, column: str, *, in_formula: bool = False) -> str:
        """A name for a column that formulas and row rules can say; its own where that is one."""
        if is_name(column) and column != GROUP and not (in_formula and column in SYMBOLS):
            return column
        if column not in self.aliases:
            stem = re.sub(r"[^a-z0-9]+", "_", "_".join(self.columns[column].words)).strip("_") or "column"
            name = stem if is_name(stem) else f"c_{stem}"
            number = 1
            while name in self.taken or name in self.columns or name in SYMBOLS or name == GROUP:
                number += 1
                name = f"{stem if is_name(stem) else 'c_' + stem}_{number}"
            self.aliases[column] = name
            self.taken.add(name)
        return self.aliases[column]

    def drop_trait(self, symbol: str, reason: str) -> None:
        """Leave a feature aside, for a reason."""
        trait = self.traits.pop(symbol)
        used = {column for other in self.traits.values() for column in other.inputs}
        self.aside(reason, *(column for column in trait.inputs if column not in used))


def assign(draft: Draft, free: Mapping[str, Column], named: Mapping[str, str]) -> None:
    """Give the quantities of scaling laws the columns among `free` that hold them; `named` is the user's word."""
    rest = dict(free)
    for symbol, name in named.items():
        draft.traits[symbol] = _named(draft, symbol, name)
        rest.pop(name, None)
    numeric = {name: column for name, column in rest.items() if column.numbers is not None and len(column.finite)}
    candidates = _candidates(numeric)
    experts = any(column.distinct > 1 for column in candidates.get("E", []))
    for quantity in QUANTITIES:
        found = [c for c in candidates.get(quantity.symbol, []) if c.distinct > 1]
        if quantity.symbol in named or not found:
            continue
        found.sort(key=lambda column: _order(quantity, column, experts))
        trait = _trait(draft, quantity, found[0])
        if trait.symbol in draft.traits:
            continue
        draft.traits[trait.symbol] = trait
        for other in found[1:]:
            draft.aside(f"{found[0].name!r} was taken for {trait.symbol}", other.name)
    helpers = {
        quantity.symbol: next((c for c in numeric.values() if quantity.rank(c) is not None), None)
        for quantity in (EPOCHS, LENGTH, PER_PARAMETER, WIDTH)
    }
    _derive(draft, {name: column for name, column in helpers.items() if column is not None}, candidates, named)


def _named(draft: Draft, symbol: str, name: str) -> Trait:
    """The feature that the user named a column for."""
    if not is_name(symbol) or symbol == GROUP:
        raise InputError(f"features: {symbol!r} is not a legal symbol: letters, digits, underscores, not a function")
    if name not in draft.columns:
        raise InputError(f"features: {symbol}: there is no column {name!r}: {one_of(name, draft.columns)}")
    column = draft.columns[name]
    if column.nested or column.is_size_in_words:
        what = "words such as " + repr(column.texts[0]) if column.texts else "nested values"
        raise DataError(f"features: {symbol}: the column {name!r} holds {what}: write numbers (1.3e9) in the table")
    why = f"{name!r} is {symbol}, as you say"
    if column.numbers is None:
        return Trait(symbol, "category", "", name, (name,), column=name, named=True, why=why)
    quantity = next((q for q in QUANTITIES if q.symbol == symbol), None)
    quantity = quantity or next((q for q in QUANTITIES if q.rank(column) is not None), None)
    inside = len(column.finite) and column.finite.min() >= 0 and column.finite.max() <= 1
    if quantity is None or (quantity.kind == "share" and not inside):
        kind: FeatureKind = "share" if inside else "count"
        return Trait(symbol, kind, "1", name, (name,), column=name, named=True, why=why)
    return replace(_trait(draft, quantity, column), symbol=symbol, named=True, why=why)


def _candidates(columns: Mapping[str, Column]) -> dict[str, list[Column]]:
    """Columns by the quantity that their names say; a column is of the first quantity that it fits."""
    candidates: dict[str, list[Column]] = {}
    for column in columns.values():
        words = set(column.words)
        for quantity in QUANTITIES:
            if quantity.rank(column) is None:
                continue
            if column.words == ("size",) and not (len(column.finite) and column.finite.max() >= SIZE_OF_MODELS):
                continue
            if (
                quantity.symbol == "N"
                and words & _OF_PART
                and not words & {"non", "without", "excl", "excluding", "no"}
            ):
                continue  # parameters of the embedding alone
            if quantity.kind == "share" and not (column.finite.min() >= 0 and column.finite.max() <= 1):
                continue
            candidates.setdefault(quantity.symbol, []).append(column)
            break
    return candidates


def _order(quantity: Quantity, column: Column, experts: bool) -> tuple[float, ...]:
    """Order of the columns that a quantity may be read from, the best first."""
    positive = column.finite[column.finite > 0]
    spread = positive.max() / positive.min() if len(positive) else 1.0
    place = quantity.rank(column) or (0, 0)
    active = experts and quantity.symbol == "N" and bool(_ACTIVE & set(column.words))
    flat = quantity.symbol in ("N", "D", "C") and spread < NEARLY_ONE
    missing = int(len(column.finite) < len(column.values) / 2)
    later = int("total" in column.words and quantity.symbol == "N") + 2 * int(bool(_ACTIVE & set(column.words)))
    return missing, int(logarithm_of(column) is not None), int(flat), int(not active), *place, later


def _trait(draft: Draft, quantity: Quantity, column: Column) -> Trait:
    symbol, unit, meaning = quantity.symbol, quantity.unit, quantity.meaning
    words = set(column.words)
    note = ""
    if symbol == "N":
        symbol, meaning = _parameters(words)
    elif symbol == "D":
        samples = words & {"samples", "examples", "datapoints"}
        if samples or (not words & {"tokens", "token", "d"} and column.finite.max() < 1e8):
            unit, meaning = "samples", "training samples"
            note = "" if samples else "counted in samples, by its values: check"
    elif symbol == "B":
        if words & {"token", "tokens"}:
            unit = "tokens"
        elif np.median(column.finite) >= TOKENS_A_BATCH:
            unit, note = "tokens", "counted in tokens, by its values: check"
        else:
            note = "counted in sequences, by its values: check (Step Law's batch is in tokens)"
    formula, scaled = _scaled(draft, quantity, column)
    inside = column.finite if formula is None else column.finite * scaled
    line = f"{column.name!r} is {symbol}, {meaning}"
    if formula is not None:
        line += f": {formula}, for its name says so"
    if note:
        draft.checks.append(f"{symbol} ({column.name!r}) is {note}")
    positive = inside[inside > 0]
    low, high = (1e5, 1e15) if symbol == "D" and unit == "tokens" else quantity.usual
    if len(positive) and scaled and not (low <= float(np.median(positive)) <= high):
        draft.checks.append(
            f"{symbol} ({column.name!r}) runs from {_short(positive.min())} to {_short(positive.max())}, which is "
            f"unusual for {unit}: if they are in another unit, say so by a formula, as in "
            f'"{draft.short(column.name, in_formula=True)}*1e6"'
        )
    if formula is not None:
        return Trait(symbol, quantity.kind, unit, meaning, (column.name,), formula=formula, why=line)
    return Trait(symbol, quantity.kind, unit, meaning, (column.name,), column=column.name, why=line)


def _parameters(words: set[str]) -> tuple[str, str]:
    """Symbol and meaning of a count of parameters, by what its name says is counted."""
    excluded = "non" in words or "without" in words or bool(words & {"excl", "excluding", "no"})
    if words & {"vocab", "vocabulary"} and excluded:
        return "N_nv", "parameters outside the vocabulary"
    if words & _NO_EMBEDDINGS or (excluded and words & {"embedding", "embeddings", "embed", "emb"}):
        return "N", "parameters, embeddings excluded (non-embedding)"
    if words & _ACTIVE:
        return "N", "active parameters (that one token passes through)"
    return "N", "total parameters" if "total" in words else "parameters (say whether embeddings are counted)"


def _scaled(draft: Draft, quantity: Quantity, column: Column) -> tuple[str | None, float]:
    """The formula that brings a column to its unit, where its name says that one is needed, and the factor."""
    base = logarithm_of(column)
    if base is not None and quantity.kind in ("size", "tokens", "count", "rate"):
        name = draft.short(column.name, in_formula=True)
        return (f"exp({name})" if base == np.e else f"{base:g}**{name}"), 0.0
    factor, _ = scale_of(column, quantity)
    if factor == 1:
        return None, 1.0
    return f"{draft.short(column.name, in_formula=True)}*{_short(factor)}", factor


def _short(value: float) -> str:
    """A number, briefly: 1e9, 5.7e+07 as 5.7e7, 70."""
    if 1e-3 <= abs(value) < 1e5:
        return f"{value:.4g}"
    mantissa, exponent = f"{value:.3g}".split("e") if "e" in f"{value:.3g}" else f"{value:.2e}".split("e")
    return f"{mantissa.rstrip('0').rstrip('.') if '.' in mantissa else mantissa}e{int(exponent)}"


# ---- computed from others


def _derive(
    draft: Draft, helpers: Mapping[str, Column], candidates: Mapping[str, list[Column]], named: Mapping[str, str]
) -> None:
    """Features that no column has and others give: D, uD, N_v, and the batch in tokens."""
    traits = draft.traits
    length = helpers.get("length")
    batch = traits.get("B")
    if batch is None:  # a constant batch is no feature, but may give the tokens
        constant = next((c for c in candidates.get("B", []) if c.distinct == 1), None)
        batch = _trait(draft, next(q for q in QUANTITIES if q.symbol == "B"), constant) if constant else None
    if batch is not None and length is not None and batch.unit == "sequences" and batch.column is not None:
        formula = f"{draft.short(batch.column, in_formula=True)}*{draft.short(length.name, in_formula=True)}"
        why = f"B is the batch size in tokens: {formula}"
        batch = replace(
            batch, column=None, formula=formula, unit="tokens", inputs=(*batch.inputs, length.name),
            meaning="batch size, in tokens", why=why,
        )  # fmt: skip
        draft.checks[:] = [line for line in draft.checks if not line.startswith("B (")]
        if "B" in traits and not traits["B"].named:
            traits["B"] = batch
    if "D" not in traits and "H" not in traits:
        for trait in _tokens(draft, helpers, batch):
            traits["D"] = trait
            break
    computed = "D" in traits and traits["D"].formula is not None and len(traits["D"].inputs) > 1
    if "B" not in traits:
        draft.checks[:] = [line for line in draft.checks if not line.startswith("B (")]
    epochs = helpers.get("epochs")
    if "D" in traits and "uD" not in traits and epochs is not None and epochs.distinct > 1:
        formula = f"D/{draft.short(epochs.name, in_formula=True)}"
        inputs = (*traits["D"].inputs, epochs.name)
        why = f"uD, unique tokens, is {formula}: there is a column of epochs and none of unique tokens"
        traits["uD"] = Trait(
            "uD", "tokens", traits["D"].unit, "unique training tokens", inputs, formula=formula, why=why
        )
    width = helpers.get("width")
    if "N_nv" in traits and "V" in traits and width is not None and "N_v" not in named:
        formula = f"V*{draft.short(width.name, in_formula=True)}"
        meaning = "vocabulary parameters: entries times width"
        why = f"N_v, {meaning}, is {formula}"
        inputs = (*traits["V"].inputs, width.name)
        traits["N_v"] = Trait("N_v", "size", "parameters", meaning, inputs, formula=formula, why=why)
    _redundant(draft)
    if computed:
        draft.checks.append(f"D is computed as {traits['D'].formula}: check that it is what you trained on")


def _tokens(draft: Draft, helpers: Mapping[str, Column], batch: Trait | None) -> Iterator[Trait]:
    """Ways to compute the tokens, the surest first."""
    traits = draft.traits
    steps, size, compute = traits.get("S"), traits.get("N"), traits.get("C")
    if steps is not None and batch is not None and batch.unit == "tokens":
        said = "B" if "B" in traits else batch.formula or draft.short(str(batch.column), in_formula=True)
        inputs = (*steps.inputs, *batch.inputs)
        why = f"D, training tokens, is S*{said}: steps times tokens a batch"
        yield Trait("D", "tokens", "tokens", "training tokens", inputs, formula=f"S*{said}", why=why)
    ratio = helpers.get("ratio")
    if size is not None and ratio is not None and ratio.distinct > 1:
        formula = f"N*{draft.short(ratio.name, in_formula=True)}"
        why = f"D, training tokens, is {formula}: {ratio.name!r} is tokens a parameter"
        yield Trait("D", "tokens", "tokens", "training tokens", (*size.inputs, ratio.name), formula=formula, why=why)
    if size is not None and compute is not None and size.symbol == "N":
        scaled = compute.formula is not None or size.formula is not None  # brought to units that are known
        flop, parameters = (draft.columns[trait.inputs[0]].finite for trait in (compute, size))
        if scaled or 1e6 <= np.median(flop) / (6 * max(np.median(parameters), 1.0)) <= 1e15:
            why = "D, training tokens, is C/(6*N): there is a column of FLOP and none of tokens"
            yield Trait(
                "D", "tokens", "tokens", "training tokens", (*compute.inputs, *size.inputs), formula="C/(6*N)", why=why
            )


def _redundant(draft: Draft) -> None:
    """Leave aside what others say already: compute where N and D are known, steps where D is."""
    traits = draft.traits
    formula_of_tokens = traits["D"].formula if "D" in traits else None
    sized = "N" in traits or "N_nv" in traits
    if "C" in traits and not traits["C"].named and sized and ("D" in traits or "H" in traits):
        _inline(draft, "C", "N and D say what FLOP say")
    if "S" in traits and not traits["S"].named and ("D" in traits or "H" in traits):
        _inline(draft, "S", "D says what steps say" if formula_of_tokens is None else "D is computed from it")


def _inline(draft: Draft, symbol: str, reason: str) -> None:
    """Take out a feature that others may be computed from: these name its column instead."""
    trait = draft.traits[symbol]
    users = [other for other in draft.traits.values() if other.formula and re.search(rf"\b{symbol}\b", other.formula)]
    if users:
        # A column's short name may be the symbol itself: then nothing else has that name, once the feature is gone.
        said = trait.formula or (symbol if trait.column == symbol else draft.short(str(trait.column), in_formula=True))
        said = f"({said})" if trait.formula else said
        for user in users:
            formula = re.sub(rf"\b{symbol}\b", said, str(user.formula))
            draft.traits[user.symbol] = replace(user, formula=formula, why=user.why.replace(str(user.formula), formula))
    draft.drop_trait(symbol, reason)
