"""Events as Hypothesis should try them."""

from hypothesis import strategies as st

SEGMENTS = st.text(st.one_of(st.sampled_from("abz09_-"), st.characters(categories=["L"])), min_size=1, max_size=8)
TAGS = st.builds(lambda country, region, sensor: f"{country}.{region}.{sensor}", SEGMENTS, SEGMENTS, SEGMENTS)
TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"])),
    st.text(st.sampled_from('a \\",=\n\r\t\0é#')),
)
NUMBERS = st.one_of(st.integers().map(str), st.floats(allow_nan=False, allow_infinity=False).map(repr))
VALORES = st.one_of(NUMBERS, TEXTS).map(lambda valor: "" if valor.isspace() else valor)
