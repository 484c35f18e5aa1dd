"""A grammar of the SQL statements that can be meant by one request over some tables, in llguidance's form of Lark.

Names are those of the tables, values those of the request, so that a statement under it never fails for a name that does not exist
(Scholak et al. 2021, "PICARD", https://arxiv.org/abs/2109.05093; with a grammar of the database, Wang et al. 2023, "Grammar Prompting",
https://arxiv.org/abs/2305.19234). Aggregates stand where SQL allows them: not in WHERE. Names that a statement makes up itself can be
used only where it has made up one. Keywords are in capitals and one blank stands between words.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from .literals import literals

_TABLE = re.compile(r"^Table (.+?)\((.+)\)$", re.MULTILINE)
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ALIAS = r"/[a-z][a-z0-9]*(_[a-z0-9]+)*/"
_RULES = r"""
start: statement ";"?
statement: select | insert | update | delete
insert: "INSERT INTO " table ((" (" name (", " name){0,LISTED} ")")? " " select | inserted)
update: "UPDATE " target " SET " setting (", " setting){0,LISTED} (" WHERE " condition_row)? (" LIMIT " NUMBER)?
setting: name " = " operand_row
delete: "DELETE FROM " target (" WHERE " condition_row)? limit?
target: table ((" AS "|" ") QUALIFIER)?
select: (plain | aliased | derived) limit? | "SELECT " items_any
plain: "SELECT " "DISTINCT "? items " FROM " source (" WHERE " condition_row)? groups? order_agg?
aliased: "SELECT " "DISTINCT "? named " FROM " source (" WHERE " condition_row)? groups_any? order_any?
derived: "SELECT " "DISTINCT "? items_any " FROM (" select ")" ((" AS "|" ") ALIAS)? (" WHERE " condition_any)? groups_any? order_any?
groups: " GROUP BY " column (", " column){0,LISTED} (" HAVING " condition_agg)?
groups_any: " GROUP BY " operand_any (", " operand_any){0,LISTED} (" HAVING " condition_any)?
items: "*" | operand_agg (", " operand_agg){0,LISTED}
named: (operand_agg ", "){0,LISTED} operand_agg " AS " ALIAS (", " operand_agg (" AS " ALIAS)?){0,LISTED}
items_any: item_any (", " item_any){0,LISTED}
item_any: "*" | operand_any (" AS " ALIAS)?
source: target join{0,3}
join: joined (" USING (" name ")" | " ON " condition_any)
joined: " " ("INNER "|"LEFT ")? "JOIN " (table | "(" select ")") ((" AS "|" ") (QUALIFIER | ALIAS))?
limit: " LIMIT " NUMBER (" OFFSET " NUMBER | ", " NUMBER)?
aggregate: "COUNT(*)" | "COUNT(" "DISTINCT "? column ")" | FUNCTION "(" "DISTINCT "? operand_row ")"
aggregate_any: "COUNT(*)" | "COUNT(" "DISTINCT "? (column | ALIAS) ")" | FUNCTION "(" "DISTINCT "? operand_any ")"
FUNCTION: "SUM" | "AVG" | "MAX" | "MIN"
SCALAR: "ABS" | "ROUND" | "LOWER" | "UPPER" | "LENGTH" | "COALESCE" | "DATE" | "IFNULL" | "SUBSTR"
CONSTANT: "TRUE" | "FALSE" | "NULL"
OPERATOR: " + " | " - " | " * " | " / "
COMPARISON: " = " | " > " | " < " | " >= " | " <= " | " <> " | " != "
JUNCTION: " AND " | " OR "
DIRECTION: " ASC" | " DESC"
column: name | table "." name | QUALIFIER "." name
text: "'" TEXT "'" | "''"
pattern: "'%" TEXT? "%'" | "'" TEXT "%'" | "'%" TEXT "'" | "'" TEXT "'"
"""
_EXPRESSION = r"""
operand_KIND: term_KIND (OPERATOR term_KIND){0,JOINED}
term_KIND: column | NUMBER | text | CONSTANT | "(" operand_KIND ")" | "(" select ")"
    | SCALAR "(" operand_KIND (", " operand_KIND){0,JOINED} ")" | case_KIND MORE
case_KIND: "CASE" (" WHEN " condition_KIND " THEN " operand_KIND){1,LISTED} (" ELSE " operand_KIND)? " END"
condition_KIND: predicate_KIND (JUNCTION predicate_KIND){0,JOINED}
predicate_KIND: operand_KIND COMPARISON operand_KIND
    | operand_KIND " BETWEEN " operand_KIND " AND " operand_KIND
    | operand_KIND " NOT"? " IN (" (select | operand_KIND (", " operand_KIND){0,LISTED}) ")"
    | "(" operand_KIND (", " operand_KIND){1,JOINED} ")" " NOT"? " IN (" select ")"
    | operand_KIND " NOT"? " LIKE " pattern
    | operand_KIND " IS" " NOT"? " NULL"
    | "NOT "? "EXISTS (" select ")"
    | "NOT "? "(" condition_KIND ")"
"""
_ORDER = """
order_KIND: " ORDER BY " key_KIND (", " key_KIND){0,JOINED}
key_KIND: operand_KIND DIRECTION?
"""
JOINED = 6
"""Most conditions, terms and keys that are joined to one, each: a small model may otherwise repeat one until its answer is cut off."""
MOST_ROWS = 20
"""Most rows of one INSERT after its first."""
_MORE = {"row": "", "agg": "| aggregate", "any": '| aggregate_any | ALIAS | ALIAS "." ALIAS'}
"""What terms may be beside columns and values: in WHERE, over groups, and where the statement has names of its own."""


def sql_grammar(context: str, request: str) -> str:
    """The grammar of statements over the tables that a context shows, one a line as `Table.schema` writes it, with a request's values.

    Empty where the context shows no table.
    """
    tables = {table: [name for name, _ in columns] for table, columns in shown_tables(context).items()}
    if not tables:
        return ""
    values = literals(request)
    columns = dict.fromkeys(name for names in tables.values() for name in names)
    rules = [_RULES]
    for kind, more in _MORE.items():
        rules.append((_EXPRESSION if kind == "row" else _EXPRESSION + _ORDER).replace("KIND", kind).replace("MORE", more))
    # No list is longer than a row.
    rules = [rule.strip().replace("LISTED", str(max(1, len(columns)))).replace("JOINED", str(JOINED)) for rule in rules]
    parts = ["%llguidance {}", *rules]
    parts.append("inserted: " + " | ".join(_inserted(number) for number in range(1, len(columns) + 1)))
    # Without names a row has a value for each column.
    parts[-1] += "".join(f' | " VALUES " {_row(number)}' for number in dict.fromkeys(len(names) for names in tables.values()))
    parts += [
        "table: " + alternatives(map(quoted, tables)),
        "name: " + alternatives(map(quoted, columns)),
        "NUMBER: " + alternatives(values.numbers),
        "TEXT: " + alternatives(text.replace("'", "''") for text in values.texts),
        f"ALIAS: {_ALIAS}",
        r"QUALIFIER: /[a-z][a-z0-9]{0,2}/",
    ]
    return "\n".join(parts) + "\n"


def shown_tables(context: str) -> dict[str, list[tuple[str, str]]]:
    """The tables that a context shows, one a line as `Table.schema` writes them: names and kinds of their columns.

    >>> shown_tables("Table t(a INT, b TEXT)")
    {'t': [('a', 'INT'), ('b', 'TEXT')]}
    """
    found: dict[str, list[tuple[str, str]]] = {}
    for match in _TABLE.finditer(context):
        split = [column.rpartition(" ") for column in match[2].split(", ")]
        found[match[1]] = [(name, kind) for name, _, kind in split]
    return found


def _inserted(number: int) -> str:
    """So many named columns, and rows of as many values."""
    names = '" (" name ' + '", " name ' * (number - 1)
    return f'{names}")" " VALUES " {_row(number)} (", " {_row(number)}){{0,{MOST_ROWS}}}'


def _row(number: int) -> str:
    return '"(" operand_row ' + '", " operand_row ' * (number - 1) + '")"'


def alternatives(texts: Iterable[str]) -> str:
    """Texts as alternatives of a rule."""
    return " | ".join(json.dumps(text, ensure_ascii=False) for text in texts)


def quoted(name: str) -> str:
    """A name as SQL writes it."""
    return name if _PLAIN.fullmatch(name) else '"' + name.replace('"', '""') + '"'
