"""What may be exchanged in solved tasks over tables."""

from __future__ import annotations

import pytest

from lifelong.core import Task
from lifelong.envs import DatabaseEnvironment
from lifelong.envs.database.exchanges import is_near, sql_exchanges
from lifelong.envs.database.sqlite import Table
from lifelong.envs.practice import variations
from lifelong.envs.templates import HoleValue, mine

LOANS = Table(
    name="loans",
    columns=(("loan_id", "INT"), ("branch", "TEXT"), ("borrower", "TEXT"), ("amount", "INT"), ("fee", "INT"), ("due_date", "TEXT")),
    rows=((1, "Airport", "Kira", 50, 2, "2023-01-05"), (2, "Harbour", "Omar", 70, 3, "2023-04-09")),
)


def names(request: str, statement: str) -> dict[str, list[str]]:
    return {one.written: [other.written for other in others] for one, others in sql_exchanges(request, statement, [LOANS]).items()}


def test_a_solved_task_as_a_template() -> None:
    request = "Show the branch of loans where the amount exceeds 60 and the due date is after '2023-01-05'."
    statement = "SELECT branch FROM loans WHERE amount > 60 AND due_date > '2023-01-05'"
    found = sql_exchanges(request, statement, [LOANS])
    assert mine(request, statement, found)[0].name == (
        "SELECT <column TEXT> FROM <table> WHERE <column INT> > <integer> AND <column DATE> > '<date due_date>'"
    )
    assert HoleValue(type="column DATE", said="due date", written="due_date") in found
    assert names(request, statement) == {
        "branch": ["borrower"],
        "amount": ["fee"],
        "due_date": [],
        "loans": [],
        "60": ["30", "59", "61", "63", "90", "120"],
        "2023-01-05": ["2023-04-09"],
    }


def test_a_column_that_is_compared_with_a_text_keeps_its_name() -> None:
    found = names("Show the amount where the borrower is 'Kira'.", "SELECT amount FROM loans WHERE borrower = 'Kira'")
    assert found["borrower"] == []
    assert found["amount"] == ["fee"]
    assert found["Kira"] == ["Omar"]
    two = [LOANS, Table(name="fees", columns=(("amount", "INT"), ("rate", "INT")), rows=())]
    assert [others for one, others in sql_exchanges("the amount", "SELECT amount FROM loans", two).items()] == [[]]


@pytest.mark.parametrize(
    ("request_", "statement", "kept"),
    [
        ("Show 2 loans from the third.", "SELECT * FROM loans LIMIT 2 OFFSET 2", "2"),
        ("Show the amounts, highest amount first.", "SELECT amount FROM loans ORDER BY amount DESC", "amount"),
        ("Average amount?", "SELECT AVG(amount) AS avg_amount FROM loans", "amount"),
        ("The due date and due_date", "SELECT due_date FROM loans", "due_date"),
        ("Raise the fee by 10%, that is 110", "UPDATE loans SET fee = fee * 1.1", "1.1"),
        ("Loans of 'Kira' or kira", "SELECT * FROM loans WHERE borrower = 'Kira'", "Kira"),
        ("Loans of Kira", "SELECT * FROM loans WHERE borrower LIKE 'Kira'", "Kira"),
    ],
)
def test_what_is_not_the_same_word_in_both_stays(request_: str, statement: str, kept: str) -> None:
    assert kept not in names(request_, statement)


def test_varied_tasks_of_the_environment_run_and_say_the_same_in_both() -> None:
    environment = DatabaseEnvironment()
    solved = [(task, environment.demonstrate(task).actions[-1]) for task in environment.tasks("train", 30)]
    made = variations(environment, solved, 40, seed=3)
    assert made == variations(environment, solved, 40, seed=3)
    assert len(made) == 40
    originals = {task.goal: answer for task, answer in solved}
    for one in made:
        assert one.task.goal not in originals
        assert one.answer != originals[one.source.goal]
        assert (one.task.context, one.task.environment) == (one.source.context, environment.id)
        found = environment.preview(one.source, one.answer)
        assert not found.error
        assert not found.empty


def test_templates_that_fail_are_varied_more() -> None:
    environment = DatabaseEnvironment()
    solved = [(task, environment.demonstrate(task).actions[-1]) for task in environment.tasks("train", 12)]
    often = variations(environment, solved, 30)[0].template
    never = {one.template: 0.0 for one in variations(environment, solved, 200) if one.template != often}
    assert {one.template for one in variations(environment, solved, 5, weights=never)} == {often}


def test_a_word_that_begins_alike_is_near() -> None:
    assert is_near("order", "Orders of May")
    assert not is_near("order", "reorder")


def test_nothing_is_exchanged_where_nothing_is_known() -> None:
    assert sql_exchanges("Do it.", "SELECT 1", []) == {}
    assert variations(DatabaseEnvironment(), [], 4) == []
    assert variations(object(), [(Task(id="t", goal="x"), "y")], 4) == []
