"""Numbers as they are dialled in their country. That all of them are read as phonenumbers reads them is a
property.
"""

import pytest

from router.core.numberplans import costs_extra, country_of, read_dialled

DIALLED: list[tuple[str, str, str, str | None]] = [
    ("a country without a trunk prefix", "22334455", "NO", "+4722334455"),
    ("a trunk prefix", "030123456", "DE", "+4930123456"),
    ("a zero that belongs to the number", "0612345678", "IT", "+390612345678"),
    ("a trunk prefix that stands for an area", "0343715123456", "AR", "+5493437123456"),
    ("from abroad", "0046701234567", "NO", "+46701234567"),
    ("from abroad, with a trunk prefix", "00440701234567", "NO", "+44701234567"),
    ("a calling code without its plus", "4722334455", "NO", "+4722334455"),
    ("a number that begins like its calling code", "47123456", "NO", "+4747123456"),
    ("too short", "1", "NO", None),
    ("too short from abroad", "0046", "NO", None),
    ("from a country that is none", "00999123456", "NO", None),
]


@pytest.mark.parametrize(
    ("digits", "country", "e164"), [row[1:] for row in DIALLED], ids=[row[0] for row in DIALLED]
)
def test_what_is_dialled_in_a_country(digits: str, country: str, e164: str | None) -> None:
    if e164 is None:
        with pytest.raises(ValueError, match=r"."):
            read_dialled(digits, country)
    else:
        assert read_dialled(digits, country) == e164


COUNTRIES = [
    ("one country's code", "+4681234567", "SE", False),
    ("a shared code", "+14165550123", "CA", False),
    ("a shared code, told by how numbers begin", "+18765550123", "JM", False),
    ("a number that no country of a shared code has", "+10005550123", "US", False),
    ("a country's premium rate", "+4782012345", "NO", True),
    ("free of charge", "+4780012345", "NO", False),
    ("an ordinary number", "+4722334455", "NO", False),
    ("of no country", "+80012345678", "001", False),
]


@pytest.mark.parametrize(
    ("e164", "country", "extra"), [row[1:] for row in COUNTRIES], ids=[row[0] for row in COUNTRIES]
)
def test_whose_a_number_is_and_what_it_costs(e164: str, country: str, extra: bool) -> None:
    assert (country_of(e164), costs_extra(e164)) == (country, extra)
