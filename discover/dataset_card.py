"""The keys of a dataset card: the files, how their rows become tidy rows, and what the columns mean.

The steps stand in the order in which `discover.tidying` takes them: files (joined, with constants set), columns
renamed, wide rows made long, rows chosen, rows averaged, the best kept; then features, group and target are read.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from discover.cards import Card
from discover.cite import Cite
from discover.errors import one_of
from discover.formula import LEGAL_NAMES, is_name
from discover.mixture import component
from discover.reading import Format
from discover.units import Unit

FeatureKind = Literal["size", "tokens", "count", "rate", "share", "mixture", "category"]
ZERO_IS_LEGAL = ("share", "mixture", "category")
Columns = list[str] | dict[str, str]
GROUP = "group"


class Feature(Card):
    """An input: where it comes from, its unit and kind.

    A ``mixture`` has ``columns`` (name of each component and its column) that sum to one; a ``category`` is one column
    of words, and becomes a column of 0 and 1 a word. Both are vectors in formulas. ``columns`` with ``by`` is a scalar
    that stands in another column for each word: the share of the domain whose loss the row has.
    """

    column: str | None = None
    formula: str | None = None  # of columns and of features above it
    columns: Columns | None = None
    by: str | None = None  # of `columns`, the one that the word in this column names
    kind: FeatureKind = "size"
    unit: Unit = ""
    meaning: str = ""
    tolerance: float = Field(default=1e-3, gt=0, description="how far the sum of a mixture may be from one")
    normalise: bool = False  # divide a mixture by its sum

    @model_validator(mode="after")
    def _one_source(self) -> Feature:
        given = [name for name in ("column", "formula", "columns") if getattr(self, name) is not None]
        if self.by is not None:
            if given != ["columns"] or self.vector:
                raise ValueError("by = a column of words needs columns = { word = column, ... }, and no mixture")
        elif self.kind == "mixture":
            if given != ["columns"] or len(self.sources()) < 2:
                raise ValueError("a mixture needs columns = the names of two or more columns")
        elif self.kind == "category":
            if given != ["column"]:
                raise ValueError("a category needs a column")
        elif len(given) != 1 or self.columns is not None:
            raise ValueError("a feature needs either a column or a formula of columns")
        return self

    @property
    def vector(self) -> bool:
        """Whether it is several columns, one a component."""
        return self.kind in ("mixture", "category")

    def sources(self) -> dict[str, str]:
        """Column of each component of a mixture, by the component's name."""
        if isinstance(self.columns, dict):
            return dict(self.columns)
        return {column: column for column in self.columns or ()}


class Target(Card):
    """What laws predict: a column, or a formula of columns."""

    column: str | None = None
    formula: str | None = None  # of columns and of features
    symbol: str = "L"
    unit: Unit = "nats/token"
    meaning: str = ""
    positive: bool = True
    falls: bool = True  # as sizes grow: a loss does, the best learning rate need not

    @model_validator(mode="after")
    def _one_source(self) -> Target:
        if (self.column is None) == (self.formula is None):
            raise ValueError("the target needs either a column or a formula of columns")
        return self

    @field_validator("symbol")
    @classmethod
    def _name(cls, value: str) -> str:
        if not is_name(value):
            raise ValueError(f"a symbol is {LEGAL_NAMES}")
        return value


class File(Card):
    """A file of the dataset: a public address with its checksum, or a path beside the card."""

    url: str | None = None
    path: str | None = None
    sha256: str | None = None
    format: Format | None = None
    set: dict[str, float | str] = {}  # columns with one value for all rows of the file
    join: str | None = None  # put beside the file before it, by this column
    held_out: bool = False  # its rows are held out; it is read when they are scored

    @model_validator(mode="after")
    def _one_place(self) -> File:
        if (self.url is None) == (self.path is None):
            raise ValueError("a file needs either a url or a path beside the card")
        if self.url is not None and self.sha256 is None:
            raise ValueError("a url needs its sha256")
        if self.join is not None and (self.set or self.held_out):
            raise ValueError("a file that joins another goes with it: set and held_out stand at the first of the two")
        return self


class Wide(Card):
    """One row of the file holds several runs: each of ``columns`` becomes a row of its own."""

    columns: Columns  # the columns, or a name for each
    names: str  # new column: the name (or the header) it came from
    values: str  # new column: the number

    @model_validator(mode="after")
    def _two_new(self) -> Wide:
        if not self.columns:
            raise ValueError("columns names no column")
        if self.names == self.values:
            raise ValueError(f"names and values are two new columns, and both are called {self.names!r}")
        return self


class Last(Card):
    """Keep the last row, by one column, of each value of others: the final row of each run."""

    of: str | Annotated[list[str], Field(min_length=1)]
    by: str


class Best(Card):
    """Keep the row with the smallest value of a column among those that agree in others: the best of each grid.

    With ``within``, all rows whose value is less than that much (relative) above the smallest.
    """

    of: list[str] = Field(min_length=1)
    by: str
    within: float = Field(default=0.0, ge=0)


class Drop(Card):
    """Rows that are dropped, with the reason."""

    where: str | None = None
    largest: int | None = Field(default=None, ge=1)
    of: str | None = None
    count: int | None = None
    because: str

    @model_validator(mode="after")
    def _one_rule(self) -> Drop:
        if (self.where is None) == (self.largest is None) or (self.largest is None) != (self.of is None):
            raise ValueError("say either where = 'rule', or largest = how many and of = column")
        return self


class Average(Card):
    """Rows that agree in ``of`` become one: the mean of a column, weighted.

    ``parts`` names the new rows and says which values of ``over`` each takes in; a value of no part is left out. The
    weights come from a file of JSON (value of ``over`` -> weight).
    """

    column: str
    of: list[str] = Field(min_length=1)
    over: str
    parts: dict[str, list[str]] = {}
    into: str = "part"  # new column: the name of the part
    weights: File | None = None


class Rows(Card):
    """Which rows of the files count."""

    unique: bool = False  # a row that repeats another in every column is dropped
    last: Last | None = None
    keep: str | None = None
    drop: list[Drop] = []
    best: Best | None = None
    count: int | None = None


class Group(Card):
    """Rows that agree in ``columns`` share one set of constants; the form of a law is common to all groups."""

    columns: list[str] = Field(min_length=1)
    everywhere: str | None = None  # rows that belong to every group
    meaning: str = ""


class Largest(Card):
    """A hold-out of the largest values of a feature."""

    largest: int
    of: str

    @field_validator("largest")
    @classmethod
    def _positive(cls, value: int) -> int:
        if value < 1:
            raise ValueError("it must be 1 or more")
        return value


class OwnFiles(Card):
    """A hold-out of the rows of the files that say held_out = true; ``of`` is the feature in which they are larger."""

    files: Literal["held_out"]
    of: str = ""


HoldOut = str | Largest | OwnFiles


def describe_hold_out(rule: HoldOut) -> str:
    """The rule in words: ``N >= 4e9``, or ``the 2 largest N``."""
    if isinstance(rule, str):
        return rule
    return f"the {rule.largest} largest {rule.of}" if isinstance(rule, Largest) else "files of their own"


class Generate(Card):
    """A generated dataset: a published law on a grid, with multiplicative Gaussian noise."""

    law: str
    published: int = 0
    grid: dict[str, list[float]]
    noise: float
    seed: int = 0


class DatasetCard(Card):
    """The keys of a dataset card."""

    title: str
    cite: Cite | None = None
    licence: str = ""
    notes: str = ""
    files: list[File] = []
    generate: Generate | None = None
    columns: dict[str, str] = {}
    wide: Wide | None = None
    rows: Rows = Rows()
    average: Average | None = None
    features: dict[str, Feature]
    group: Group | None = None
    labels: list[str] = []  # columns that are kept beside the features, for row rules
    target: Target
    hold_out: HoldOut | None = None

    @field_validator("features")
    @classmethod
    def _names(cls, value: dict[str, Feature]) -> dict[str, Feature]:
        for name, feature in value.items():
            if not is_name(name) or name == GROUP:
                raise ValueError(f"{name!r} is not a legal symbol: {LEGAL_NAMES}")
            for part in feature.sources() if feature.vector else ():
                if not is_name(component(name, part)):
                    raise ValueError(
                        f"{name}.columns: {part!r} cannot name a component: give it a name of letters, digits and "
                        f'underscores, as in columns = {{ code = "{part}" }}'
                    )
        if not value:
            raise ValueError("a dataset needs at least one feature")
        return value

    @model_validator(mode="after")
    def _one_origin(self) -> DatasetCard:
        if bool(self.files) == (self.generate is not None):
            raise ValueError("a dataset needs either files or a [generate] table")
        if self.target.symbol in self.features:
            raise ValueError(f"the symbol {self.target.symbol!r} is both a feature and the target")
        if self.files and (self.files[0].join or self.files[0].held_out):
            raise ValueError("files: the first file can neither join another nor be held out")
        own = any(file.held_out for file in self.files)
        if isinstance(self.hold_out, OwnFiles) != own:
            raise ValueError('a hold_out of files = "held_out" and files with held_out = true belong together')
        if isinstance(self.hold_out, OwnFiles) and self.hold_out.of and self.hold_out.of not in self.features:
            raise ValueError(
                f"hold_out.of: {self.hold_out.of!r} is no feature: {one_of(self.hold_out.of, self.features)}"
            )
        return self
