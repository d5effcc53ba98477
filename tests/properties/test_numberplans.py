"""Numbering plans are read as phonenumbers reads them."""

import phonenumbers
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat, PhoneNumberType

from router.core.numberplans import COUNTRIES_OF, costs_extra, country_of, read_dialled

EXTRA = {
    PhoneNumberType.PREMIUM_RATE,
    PhoneNumberType.SHARED_COST,
    PhoneNumberType.PERSONAL_NUMBER,
    PhoneNumberType.PAGER,
}
COUNTRIES = st.sampled_from(sorted(phonenumbers.SUPPORTED_REGIONS))
KINDS = sorted(PhoneNumberType.values())
ANY = st.text("0123456789", min_size=2, max_size=19)


def example(country: str, kind: int) -> str:
    found = phonenumbers.example_number_for_type(country, kind)
    return phonenumbers.national_significant_number(found) if found else "0"


@st.composite
def dialled(draw: st.DrawFn) -> tuple[str, str]:
    """Digits, mostly alike to a number, and the country that they are dialled in."""
    country = draw(COUNTRIES)
    where = draw(st.one_of(st.just(country), COUNTRIES))
    digits = example(where, draw(st.sampled_from(KINDS)))
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(country, None)
    assert metadata is not None
    trunk = metadata.national_prefix or ""
    code = str(phonenumbers.country_code_for_region(where))
    prefix = draw(
        st.sampled_from(["", "", trunk, code, f"{code}{trunk}", f"00{code}", f"011{code}", "000", "0"])
    )
    tail = draw(st.one_of(st.just(digits), st.just(digits), ANY))
    changed = draw(st.integers(0, max(len(tail), 1)))
    more = draw(st.sampled_from(["", "", "", "0", "1", "99"]))
    return (
        f"{prefix}{tail[:changed]}{draw(st.sampled_from([tail[changed:], more + tail[changed:], more]))}",
        country,
    )


@settings(max_examples=2000, deadline=None)
@given(st.one_of(dialled(), st.tuples(ANY, COUNTRIES)))
def test_what_is_dialled_is_read_as_phonenumbers_does(row: tuple[str, str]) -> None:
    digits, country = row
    try:
        wanted = phonenumbers.format_number(phonenumbers.parse(digits, country), PhoneNumberFormat.E164)
    except phonenumbers.NumberParseException:
        wanted = None
    try:
        found = read_dialled(digits, country)
    except ValueError:
        found = None
    assert found == wanted


@st.composite
def international(draw: st.DrawFn) -> str:
    code = draw(st.sampled_from(sorted(COUNTRIES_OF)))
    country = draw(st.sampled_from(COUNTRIES_OF[code]))
    digits = draw(ANY) if country == "001" else example(country, draw(st.sampled_from(KINDS)))
    at = draw(st.integers(0, len(digits)))
    changed = (
        digits[:at] + draw(st.sampled_from(["", "", "0", "1", "9"])) + digits[at + draw(st.integers(0, 1)) :]
    )
    return f"+{code}{changed}"[:17]


@settings(max_examples=2000, deadline=None)
@given(international())
def test_countries_and_costs_are_those_that_phonenumbers_knows(e164: str) -> None:
    try:
        number = phonenumbers.parse(e164, None)
    except phonenumbers.NumberParseException:
        return
    main = COUNTRIES_OF[str(number.country_code)][0]
    assert country_of(e164) == (phonenumbers.region_code_for_number(number) or main)
    assert costs_extra(e164) is (phonenumbers.number_type(number) in EXTRA)
