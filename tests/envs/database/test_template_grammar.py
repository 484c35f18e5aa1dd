"""A statement over other tables becomes a grammar of this task's statements of the same form."""

from __future__ import annotations

import pytest

from lifelong.envs import DatabaseEnvironment
from lifelong.envs.database.template_grammar import sql_template_grammar
from lifelong.envs.practice import template_grammars
from lifelong.serving import grammar_accepts, grammar_error

OLD = "Table books(book_id INTEGER, title TEXT, genre TEXT, pages INTEGER)"
NEW = "Table shifts(shift_id INTEGER, worker TEXT, team TEXT, hours INTEGER, bonus INTEGER)"
GOAL = "Which teams have more than 40 hours in all for 'Night' work? Show at most 5."


def grammar(statement: str, *, context: str = NEW, goal: str = GOAL, old: str = OLD) -> str:
    return sql_template_grammar(context, goal, old, statement)


def test_names_and_values_are_the_tasks_own_and_the_form_stays() -> None:
    made = grammar("SELECT title, pages FROM books WHERE genre = 'crime' ORDER BY pages DESC LIMIT 3;")
    assert grammar_error(made) == ""
    assert grammar_accepts(made, "SELECT worker, hours FROM shifts WHERE team = 'Night' ORDER BY hours DESC LIMIT 5")
    for other in (
        "SELECT title, pages FROM books WHERE genre = 'crime' ORDER BY pages DESC LIMIT 3",
        "SELECT worker, hours FROM shifts WHERE team = 'Night' ORDER BY hours ASC LIMIT 5",
        "SELECT worker, hours FROM shifts WHERE team = 'Day shift' ORDER BY hours DESC LIMIT 5",
        "SELECT worker FROM shifts",
        # A column of text cannot stand for one of numbers.
        "SELECT worker, team FROM shifts WHERE team = 'Night' ORDER BY team DESC LIMIT 5",
    ):
        assert not grammar_accepts(made, other), other


def test_what_was_one_name_is_one_name() -> None:
    made = grammar("SELECT genre, SUM(pages) AS total FROM books GROUP BY genre HAVING SUM(pages) > 10 ORDER BY total")
    assert grammar_accepts(made, "SELECT team, SUM(hours) AS n1 FROM shifts GROUP BY team HAVING SUM(hours) > 40 ORDER BY n1")
    assert not grammar_accepts(made, "SELECT team, SUM(hours) AS n1 FROM shifts GROUP BY worker HAVING SUM(hours) > 40 ORDER BY n1")
    assert not grammar_accepts(made, "SELECT team, SUM(hours) AS n1 FROM shifts GROUP BY team HAVING SUM(bonus) > 40 ORDER BY n1")


def test_where_the_task_has_no_two_columns_of_a_kind_one_may_stand_for_both() -> None:
    made = grammar(
        "SELECT title, genre FROM books GROUP BY title, genre", context="Table t(name TEXT, n INTEGER)", goal="Names of t by name."
    )
    assert grammar_accepts(made, "SELECT name, name FROM t GROUP BY name, name")


def test_a_column_without_its_like_may_be_any() -> None:
    made = grammar("SELECT AVG(pages) FROM books", context="Table t(name TEXT, city TEXT)", goal="How long are the names of t?")
    assert grammar_accepts(made, "SELECT AVG(city) FROM t")


def test_patterns_keep_their_signs_and_quotes_are_doubled() -> None:
    made = grammar("SELECT title FROM books WHERE title LIKE 'The%'", goal='Workers whose name begins with "O\'Neil".')
    assert grammar_accepts(made, "SELECT worker FROM shifts WHERE worker LIKE 'O''Neil%'")
    assert not grammar_accepts(made, "SELECT worker FROM shifts WHERE worker LIKE 'O''Neil'")


def test_nothing_of_what_the_statement_was_about_is_left() -> None:
    made = grammar("SELECT b.title AS mrs_smith FROM books AS b WHERE b.genre = 'secret' AND b.pages > 4711 ORDER BY mrs_smith")
    assert not [word for word in ("smith", "secret", "4711", "books", "title", "genre", "pages") if word in made]
    assert grammar_accepts(made, "SELECT n1.worker AS n2 FROM shifts AS n1 WHERE n1.team = 'Night' AND n1.hours > 40 ORDER BY n2")


@pytest.mark.parametrize(
    "statement",
    ["", "hello", "SELECT 1", "SELECT title FROM books; DROP TABLE books", "SELECT a FROM elsewhere", "SELECT title FROM books" * 200],
)
def test_what_is_no_statement_over_its_own_tables_is_no_template(statement: str) -> None:
    assert grammar(statement) == ""


def test_without_tables_there_is_none() -> None:
    assert grammar("SELECT title FROM books", context="") == ""
    assert grammar("SELECT title FROM books", old="") == ""


def test_every_answer_of_the_generator_is_its_own_template_and_can_be_used_for_others() -> None:
    environment = DatabaseEnvironment()
    tasks = environment.tasks("train", 40)
    answers = [environment.demonstrate(task).actions[0] for task in tasks]
    own = named = 0
    for task, answer in zip(tasks, answers, strict=True):
        [made] = template_grammars(environment, task, [(task, answer)], 4)
        assert not grammar_error(made)
        own += grammar_accepts(made, answer)
        named += " AS " in answer
        for other, right in zip(tasks[:6], answers[:6], strict=True):
            for taken in template_grammars(environment, task, [(other, right)], 4):
                assert not grammar_error(taken)
    # Names that a statement made up are others in the grammar.
    assert own >= 40 - named - 2
    assert named < 10
