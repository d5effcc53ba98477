"""Cells have every number there is, also where countries share a calling code: held against phonenumbers."""

from hypothesis import given, settings
from hypothesis import strategies as st

from router.core import regions
from router.core.cells import cut
from router.core.numbers import NumberPattern, PhoneNumber, calling_codes, example_numbers, shared_codes

SHARING = dict(shared_codes())
LENGTHS = {code: sorted(lengths) for code, lengths in calling_codes()}
EXAMPLES = {
    code: [number.e164[1 + len(code) :] for country in countries for number in example_numbers(country)]
    for code, countries in SHARING.items()
}
_digits = st.text("0123456789", min_size=15, max_size=15)


@st.composite
def numbers(draw: st.DrawFn, code: str) -> PhoneNumber:
    """Any that can be; most begin like a real one, some with what is dialled at home before."""
    like, any_digits = draw(st.sampled_from(EXAMPLES[code])), draw(_digits)
    kept = draw(st.integers(0, len(like)))
    prefix = draw(st.sampled_from(["", "", "0", "1", "8", "183", "180020"]))
    digits = (prefix + like[:kept] + any_digits)[: draw(st.sampled_from(LENGTHS[code]))]
    return PhoneNumber.parse(f"+{code}{digits}")


@st.composite
def patterns(draw: st.DrawFn, code: str) -> NumberPattern:
    """That a number of this calling code may match."""
    text = draw(numbers(code)).e164
    kept = draw(st.integers(1 + len(code), len(text)))
    open_ended = draw(st.booleans())
    wild = draw(st.integers(0, len(text) - kept)) if open_ended else len(text) - kept
    return NumberPattern.parse(text[:kept] + "x" * wild + "*" * open_ended)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_every_number_is_in_a_cell(data: st.DataObject) -> None:
    code = data.draw(st.sampled_from(sorted(SHARING)))
    countries = data.draw(st.lists(st.sampled_from(SHARING[code]), min_size=1, max_size=3, unique=True))
    written = data.draw(st.lists(patterns(code), max_size=3))
    cells = cut(written, countries)
    found = {(cell.within, cell.country) for cell in cells}
    assert len(found) == len(cells)
    for _ in range(20):
        number = data.draw(numbers(code))
        country = number.country if number.country in countries else ""
        assert (frozenset(one for one in written if one.matches(number)), country) in found
    for cell in cells:
        assert {one for one in written if one.matches(cell.number)} == cell.within
        assert (cell.number.country if cell.number.country in countries else "") == cell.country


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_what_has_the_same_left_is_of_one_country(data: st.DataObject) -> None:
    """Two numbers of the same state, however they began."""
    code = data.draw(st.sampled_from(sorted(SHARING)))
    seen: dict[regions.State, PhoneNumber] = {}
    for _ in range(20):
        number = data.draw(numbers(code))
        state = regions.start(code)
        for digit in number.e164[1 + len(code) :]:
            state = regions.after(code, state, digit)
        assert seen.setdefault(state, number).country == number.country
