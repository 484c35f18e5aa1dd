"""The schemas of generated tables."""

from __future__ import annotations

from lifelong.envs.database.schemas import SCHEMAS


def test_many_schemas() -> None:
    assert len(SCHEMAS) >= 35
    for schema in SCHEMAS.values():
        assert 4 <= len(schema.columns) <= 7, schema.name
        assert any(column.measure for column in schema.columns), schema.name
        assert any(column.grouping for column in schema.columns), schema.name
        if schema.parent:
            parent = SCHEMAS[schema.parent.options[0]]
            shared = {c.name for c in schema.columns} & {c.name for c in parent.columns}
            assert shared == {parent.columns[0].name} == {schema.parent.name}
