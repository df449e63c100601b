"""The ledger: every inspection, decision, correction and report, kept for good and found again.

One SQLite file in the user's data folder. Rows are only ever added; triggers refuse to change or delete them.
Several programs may write at once.
"""

from __future__ import annotations

import sqlite3
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tools.errors import OutputError
from tools.home import data_folder
from tools.records import ImageRecord, Inspection, RunInfo, Verdict
from tools.timing import now

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from tools.recipe import Recipe

    Embedding = npt.NDArray[np.float32]

__all__ = ["Ledger", "PastCase"]

_VERSION = 1
_WAIT_S = 30.0  # for another program to finish writing
# `image_sha256` is the `picture_key`, which is a file's hash for its first page, as all had it once.
# It is empty where a file could not be read: nothing tells then which rows are of the same picture.
_TABLES = {
    "inspections": "at, image_sha256, image_id, name, lot, part, recipe, recipe_sha256, verdict, rule,"
    " reason, types, words, record",
    "embeddings": "inspection, weights, vector",
    "decisions": "at, image_sha256, image_id, name, before, verdict, reason, by",
    "corrections": "at, image_sha256, image_id, finding, field, before, after, reason, by",
    "reports": "at, lot, recipe, batch_sha256, file, image_count, by",
}
# What words are looked for in: an inspection's own, and those of the decisions on its picture.
_SEARCHED = (
    "(words || ' ' || coalesce((SELECT group_concat(verdict || ' ' || reason, ' ') FROM decisions"
    " WHERE decisions.image_sha256 = inspections.image_sha256 AND decisions.image_sha256 <> ''), ''))"
)
_LATEST = (  # inspection of each picture
    "inspections.id IN (SELECT MAX(id) FROM inspections WHERE image_sha256 <> '' GROUP BY image_sha256"
    " UNION ALL SELECT id FROM inspections WHERE image_sha256 = '')"
)
# Not compared as text, which has the time zone of whoever wrote it.
_DECISION = (
    "SELECT verdict, reason FROM decisions WHERE image_sha256 = ? AND image_sha256 <> ''"
    " AND julianday(at) >= julianday(?) ORDER BY id DESC"
)


@dataclass(frozen=True)
class PastCase:
    """One inspection of the past, with the latest verdict that was decided on it.

    Attributes:
        similarity: Cosine to the image that was asked about; None where words were searched.
    """

    at: str
    name: str
    lot: str
    part: str
    verdict: str
    types: tuple[str, ...]
    reason: str
    similarity: float | None = None


class Ledger:
    """The durable record.

    Args:
        path: The file; `ledger.sqlite` in `data_folder()` when None.

    Raises:
        OutputError: The file is no ledger, is of a newer version, or cannot be written.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or data_folder() / "ledger.sqlite"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._unusable(error) from error
        with self._connected() as connection:
            _prepare(connection, self.path)

    def add_inspections(
        self,
        inspections: Iterable[Inspection],
        *,
        recipe: Recipe,
        lot: str = "",
        embeddings: Mapping[str, Embedding] | None = None,
        weights: str = "",
    ) -> None:
        """Adds inspections.

        Args:
            inspections: As judged.
            recipe: That they were judged by.
            lot: Of the batch.
            embeddings: CLIP's, by image id, of length 1.
            weights: SHA-256 of the CLIP that made them: likeness is told within the same weights only.
        """
        with self._connected() as connection, connection:
            for inspection in inspections:
                row = _inspection_row(inspection, recipe, lot)
                added = connection.execute(_insert("inspections"), row).lastrowid
                vector = (embeddings or {}).get(inspection.image.id)
                if vector is not None:
                    packed = vector.astype("<f2").tobytes()
                    connection.execute(_insert("embeddings"), (added, weights, packed))

    def lacking(self, inspections: Iterable[Inspection], *, lot: str = "") -> list[Inspection]:
        """Returns those that were never added: their program was killed between making and entering them."""
        query = "SELECT 1 FROM inspections WHERE image_sha256 = ? AND lot = ? AND record = ? LIMIT 1"
        with self._connected() as connection:
            return [
                each
                for each in inspections
                if not connection.execute(query, (each.image.picture_key, lot, _record(each))).fetchone()
            ]

    def add_decision(
        self, image: ImageRecord, before: Verdict | None, verdict: Verdict, reason: str, *, by: str, at: str
    ) -> None:
        """Adds a verdict that an agent or a person decided."""
        known = before.value if before else None
        row = (at, image.picture_key, image.id, image.name, known, verdict.value, reason, by)
        self._add("decisions", row)

    def add_correction(
        self, image: ImageRecord, finding: str, field: str, before: str, after: str, reason: str, *, by: str
    ) -> None:
        """Adds what a person corrected of a finding: its type or its box, or that it is none.

        Args:
            image: The image.
            finding: Id of the finding; a new one for a defect that was missed.
            field: What was corrected, e.g. `type`, `box_xyxy_px` or `exists`.
            before: The value that was wrong.
            after: The right one.
            reason: Why.
            by: Who.
        """
        row = (now(), image.picture_key, image.id, finding, field, before, after, reason, by)
        self._add("corrections", row)

    def add_report(self, run: RunInfo, file: str, images: Sequence[ImageRecord], *, by: str) -> None:
        """Adds that a report was written."""
        self._add("reports", (now(), run.lot, run.recipe_name, run.batch_sha256, file, len(images), by))

    def search(
        self, text: str = "", like: Embedding | None = None, *, weights: str = "", limit: int = 5
    ) -> list[PastCase]:
        """Finds past cases: of each image its latest inspection, with its latest verdict.

        Args:
            text: Words that must all occur: in types, part, lot, file name, verdict or reason.
            like: An embedding; cases come in the order of likeness then, else the newest first.
            weights: Of the CLIP that made `like`.
            limit: Cases at most.
        """
        terms = _folded(text).split()
        where = " AND ".join([f"{_SEARCHED} LIKE ? ESCAPE '\\'"] * len(terms)) or "1"
        patterns = [f"%{_escaped(term)}%" for term in terms]
        with self._connected() as connection:
            if like is None:
                query = f"SELECT * FROM inspections WHERE {where} AND {_LATEST} ORDER BY id DESC LIMIT ?"
                rows = connection.execute(query, (*patterns, limit)).fetchall()
                return [_case(connection, row, None) for row in rows]
            query = (
                "SELECT inspections.id, vector FROM embeddings"
                " JOIN inspections ON inspections.id = inspection"
                f" WHERE weights = ? AND {where} AND {_LATEST}"
            )
            found = connection.execute(query, (weights, *patterns)).fetchall()
            nearest = _nearest(found, like, limit)
            by_id = "SELECT * FROM inspections WHERE id = ?"
            return [_case(connection, connection.execute(by_id, (i,)).fetchone(), s) for i, s in nearest]

    def history(self, picture_key: str) -> list[dict[str, object]]:
        """Returns all that was recorded of one picture, oldest first within each kind."""
        with self._connected() as connection:
            entries: list[dict[str, object]] = []
            for table in ("inspections", "decisions", "corrections"):
                query = f"SELECT * FROM {table} WHERE image_sha256 = ? ORDER BY id"
                rows = connection.execute(query, (picture_key,)).fetchall()
                entries += [{"kind": table.removesuffix("s"), **dict(row)} for row in rows]
            return entries

    def _add(self, table: str, row: tuple[object, ...]) -> None:
        with self._connected() as connection, connection:
            connection.execute(_insert(table), row)

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self.path, timeout=_WAIT_S)) as connection:
                connection.row_factory = sqlite3.Row
                connection.execute("PRAGMA foreign_keys = ON")
                yield connection
        except sqlite3.Error as error:
            raise self._unusable(error) from error

    def _unusable(self, error: Exception) -> OutputError:
        return OutputError(
            f"the ledger {self.path} cannot be used: {error}",
            "move the file away, or set LOUPE_HOME to another folder",
        )


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Makes the tables in a new file; refuses one that is newer than this program."""
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    if found > _VERSION:
        raise OutputError(
            f"the ledger {path} was written by a newer version of Loupe",
            "update Loupe, or set LOUPE_HOME to another folder",
        )
    if found == _VERSION:
        return
    with suppress(sqlite3.OperationalError):  # SQLite does not wait here for another, who then does it
        connection.execute("PRAGMA journal_mode = WAL")
    with connection:
        connection.execute("BEGIN IMMEDIATE")  # two programs may be the first at once
        for table, columns in _TABLES.items():
            connection.execute(f"CREATE TABLE IF NOT EXISTS {table} (id INTEGER PRIMARY KEY, {columns})")
            for change in ("UPDATE", "DELETE"):
                connection.execute(
                    f"CREATE TRIGGER IF NOT EXISTS no_{change.lower()}_{table} BEFORE {change} ON {table}"
                    " BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END"
                )
            if "image_sha256" in columns:
                connection.execute(f"CREATE INDEX IF NOT EXISTS {table}_image ON {table} (image_sha256)")
        connection.execute(f"PRAGMA user_version = {_VERSION}")


def _insert(table: str) -> str:
    columns = _TABLES[table]
    return f"INSERT INTO {table} ({columns}) VALUES ({', '.join('?' * len(columns.split(',')))})"


def _inspection_row(inspection: Inspection, recipe: Recipe, lot: str) -> tuple[object, ...]:
    image, judgement, part = inspection.image, inspection.judgement, recipe.part
    types = list(dict.fromkeys(finding.type for finding in inspection.findings))
    named = [word for name in types if name in recipe.defects for word in _words_of(recipe, name)]
    words = (image.name, lot, part.name, part.name_ko, part.number, recipe.name, judgement.verdict.value)
    reasons = (judgement.reason_en, judgement.reason_ko)
    return (
        now(),
        image.picture_key,
        image.id,
        image.name,
        lot,
        part.name,
        recipe.name,
        recipe.sha256,
        judgement.verdict.value,
        judgement.rule,
        judgement.reason(recipe.language),
        " ".join(types),
        _folded(" ".join((*words, *types, *named, *reasons))),
        _record(inspection),
    )


def _record(inspection: Inspection) -> str:
    return inspection.model_dump_json(exclude={"screening": {"heat_map"}})


def _words_of(recipe: Recipe, name: str) -> tuple[str, ...]:
    defect = recipe.defects[name]
    return (defect.ko, *defect.synonyms)


def _nearest(rows: Sequence[sqlite3.Row], like: Embedding, limit: int) -> list[tuple[int, float]]:
    """The inspections whose vectors are most alike, with the cosine."""
    import numpy as np

    sized = [row for row in rows if len(row["vector"]) == 2 * like.size]
    if not sized:
        return []
    vectors = np.frombuffer(b"".join(row["vector"] for row in sized), "<f2").reshape(len(sized), -1)
    cosines = vectors.astype(np.float32) @ like
    order = np.argsort(-cosines, kind="stable")[:limit]
    return [(int(sized[i]["id"]), min(float(cosines[i]), 1.0)) for i in order]


def _case(connection: sqlite3.Connection, row: sqlite3.Row, similarity: float | None) -> PastCase:
    decision = connection.execute(_DECISION, (row["image_sha256"], row["at"])).fetchone()
    latest = decision or row
    return PastCase(
        at=row["at"],
        name=row["name"],
        lot=row["lot"],
        part=row["part"],
        verdict=latest["verdict"],
        types=tuple(row["types"].split()),
        reason=latest["reason"],
        similarity=similarity,
    )


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()


def _escaped(term: str) -> str:
    return term.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
