"""docs/conformance says what the tests say, and nobody claims more."""

from __future__ import annotations

import pytest

from tests.house import conformance
from tests.house.conformance import DONE, NEEDLESS, NOT, OPEN, PARTLY, Book, reasons


def book(shown: dict[str, list[str]], text: str = "") -> Book:
    return Book(shown, reasons(text))


def test_the_pages_are_fresh() -> None:
    assert conformance.main(["--check"]) == 0, "run: make docs"


def test_no_claim_without_a_test_and_no_reason_without_a_gap() -> None:
    assert conformance.book().wrong() == []


def test_what_a_test_carries_is_done_by_either_spelling_of_a_case() -> None:
    it = book({"D02.FR.01": ["t::one"], "TC_D_08_CS": ["t::two"]})
    assert it.of("D02.FR.01", "D02").state == DONE
    assert it.of("TC_D_08", "D02").tests == ("t::two",)
    assert it.of("D02.FR.02", "D02").state == OPEN
    assert it.use_case("D02").state == PARTLY


def test_a_use_case_is_done_with_all_that_applies() -> None:
    use_case = conformance.index()[1]["D02"]
    *most, last = (*use_case.requirements, *use_case.cases)
    shown = {each: ["t"] for each in most}
    assert book(dict(shown)).use_case("D02").state == PARTLY
    assert book(dict(shown), f'[not_applicable]\n{last} = "no"').use_case("D02").state == DONE
    assert book({**shown, last: ["t"]}).use_case("D02").state == DONE
    assert book({}, '[not]\nD02 = "later"').use_case("D02").state == NOT
    assert book({}, '[not_applicable]\nD02 = "no list"').use_case("D02").state == NEEDLESS


@pytest.mark.parametrize(
    ("shown", "text", "why"),
    [
        ({}, '[partly]\n"D02.FR.01" = "half"', "D02.FR.01: said to be partly there, and no test carries it"),
        ({}, '[partly]\nD02 = "half"', "D02: said to be partly there, and no test carries it"),
        ({"D02.FR.01": ["t"]}, '[not]\n"D02.FR.01" = "no"', "D02.FR.01: said to be not, and a test carries it"),
        ({"D02.FR.99": ["t"]}, "", "D02.FR.99: no such requirement or case"),
        ({"TC_D_99_CS": ["t"]}, "", "TC_D_99: no such requirement or case"),
    ],
)
def test_what_is_wrong_is_named(shown: dict[str, list[str]], text: str, why: str) -> None:
    assert book(shown, text).wrong() == [why]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('[done]\nD02 = "x"', r"\[done\]"),
        ('[not]\nD99 = "x"', "D99: no use case"),
        ('[not]\nD02 = "x"\n[partly]\nD02 = "x"', "D02: twice"),
    ],
)
def test_a_reason_has_a_place(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        reasons(text)
