from __future__ import annotations

from lifelong.envs.database.repair import MOST, repair_candidates


def test_only_the_name_to_blame_is_exchanged() -> None:
    context = "Table teams(team_id INT, members INT)"
    assert (
        repair_candidates("SELECT t.size FROM teams AS t", "Error: no such column: t.size", context)[1]
        == "SELECT t.members FROM teams AS t"
    )
    assert repair_candidates("SELECT 1", 'Error: near "x": syntax error', context) == []
    assert repair_candidates("SELECT 1", "Error: no such column: size", context) == []
    assert repair_candidates("SELECT stddev(members)", "Error: no such function: stddev", context) == [], (
        "no column stands in for a function"
    )
    assert repair_candidates("SELECT 1 FROM team", "no such table: team", context) == ["SELECT 1 FROM teams"]
    assert len(repair_candidates("SELECT a", "no such column: a", " ".join(f"name_{n}" for n in range(99)))) == MOST


def test_names_that_share_a_word_go_before_all_others() -> None:
    context = "Table visits(visit_id INT, visitor_age_group TEXT, country TEXT, vet_id INT, seats_available INT)"

    def options(wrong: str) -> list[str]:
        return repair_candidates(wrong, f"Error: no such column: {wrong}", context)

    assert options("age_group") == ["visitor_age_group"]
    assert options("veterinarian_id") == ["visit_id", "vet_id"]
    assert options("seat_available") == ["seats_available"]
    assert options("price") == ["visit_id", "visitor_age_group", "country", "vet_id", "seats_available"]
