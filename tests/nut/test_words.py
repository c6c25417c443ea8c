"""NUT's words, from tables of the contract (section 2.1) and of what NUT 2.8.0 was seen to do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usbhidups.nut.words import MAX_VALUE, Line, LineReader, as_word, clean, escape, quote

# (text of one file, words of its lines)
GOOD: list[tuple[str, list[list[str]]]] = [
    ("a=b\n", [["a", "=", "b"]]),
    ("a =b\n", [["a", "=", "b"]]),
    ("a = b\n", [["a", "=", "b"]]),
    ("a = b c\n", [["a", "=", "b", "c"]]),
    ("a==b\n", [["a", "=", "=", "b"]]),
    ("=\n", [["="]]),
    ("a=\n", [["a", "="]]),
    ("\t a \v b\f\r\n", [["a", "b"]]),
    ("abc#def\n", [["abc"]]),
    ("abc # def = x\nnext\n", [["abc"], ["next"]]),
    ("# only\n\n   \n#\n", []),
    ("#\\\nnot continued\n", [["not", "continued"]]),
    ('a = "x \\"y\\" \\# \\\\ z"\n', [["a", "=", 'x "y" # \\ z']]),
    ('a "b = c\td"\n', [["a", "b = cd"]]),
    ('ab"cd e\n', [['ab"cd', "e"]]),
    ('"ab"cd\n', [["ab", "cd"]]),
    ('"ab""cd"\n', [["ab", "cd"]]),
    ('a ""\n', [["a", ""]]),
    ('""\n', [[""]]),
    ("embedded\\ space\n", [["embedded space"]]),
    ('a\\=b\\#c\\"d\\\\e\n', [['a=b#c"d\\e']]),
    ("a\\\nb\n", [["ab"]]),
    ("a \\\nb\n", [["a", "b"]]),
    ("a \\\n b\n", [["a", "", "b"]]),
    ('"a\\\nb" c\n', [["ab", "c"]]),
    ('"a\nb" c\n', [["ab", "c"]]),
    ("caf\xc3\xa9 \x01x\x7fy\n", [["caf", "x\x7fy"]]),
    ("\x01\n", [[""]]),
    ("PING\nNOBROADCASTPING\n", [["PING"], ["NOBROADCASTPING"]]),
]


def read(*pieces: str, max_word: int = 512, max_words: int = 32) -> list[Line]:
    reader = LineReader(max_word=max_word, max_words=max_words)
    return [line for piece in pieces for line in reader.feed(piece)]


@pytest.mark.parametrize(("text", "expected"), GOOD)
def test_words_whole_split_and_joined(text: str, expected: list[list[str]]) -> None:
    assert [list(line.words) for line in read(text)] == expected
    assert read(*text) == read(text)
    for cut in range(len(text)):
        assert read(text[:cut], text[cut:]) == read(text)
    joined = [list(line.words) for line in read(text + "tail = 1\npart")]
    assert joined == [*expected, ["tail", "=", "1"]]


@pytest.mark.parametrize(
    ("text", "before", "after"),
    [
        ('a = "b # c"\nd = e\n', ["a", "="], [["d", "=", "e"]]),
        ('"#"\nd\n', [], [["d"]]),
        ('a "b#" c # "\nd\n', ["a"], [["d"]]),
    ],
)
def test_an_unescaped_hash_in_quotes_breaks_its_line_only(
    text: str, before: list[str], after: list[list[str]]
) -> None:
    broken, *rest = read(text)
    assert broken.error
    assert list(broken.words) == before
    assert [list(line.words) for line in rest] == after
    assert not any(line.error for line in rest)
    assert read(*text) == read(text)


def test_line_numbers_are_those_of_the_first_word() -> None:
    text = 'one\n\n# x\n  two \\\n  more\n"three\nmore" x\nfour\n"five\n # \nsix\n'
    assert [(line.number, line.words[:1]) for line in read(text)] == [
        (1, ("one",)),
        (4, ("two",)),
        (6, ("threemore",)),
        (8, ("four",)),
        (9, ()),
        (11, ("six",)),
    ]
    assert read(*text) == read(text)


def test_limits_drop_the_excess_and_say_so() -> None:
    [line] = read(f"{'x' * 700} {'y' * 512}\n")
    assert line.words == ("x" * 512, "y" * 512)
    assert line.lossy
    [line] = read("a " * 40 + "\nb\n")[:1]
    assert line.words == ("a",) * 32
    assert line.lossy
    assert read("b c\n", max_word=1, max_words=2) == [Line(("b", "c"), 1)]
    assert read("bb c d\n", max_word=1, max_words=2) == [Line(("b", "c"), 1, lossy=True)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a = b", ["a", "=", "b"]),
        ('a = "b c', ["a", "=", "b c"]),
        ("a = ", ["a", "="]),
        ("flag", ["flag"]),  # NUT loses it
        ("x\na", ["a"]),
    ],
)
def test_the_last_line_needs_no_newline(text: str, expected: list[str]) -> None:
    reader = LineReader(max_word=512, max_words=32)
    reader.feed(text)
    line = reader.finish()
    assert line is not None
    assert list(line.words) == expected


@pytest.mark.parametrize("text", ["", "a\n", "# c", '"', "\\", '"a # b'])
def test_nothing_left_over(text: str) -> None:
    reader = LineReader(max_word=512, max_words=32)
    reader.feed(text)
    assert reader.finish() is None


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("", ""),
        ("OL CHRG", "OL CHRG"),
        ('a "b" # \\c', 'a \\"b\\" \\# \\\\c'),
        ("=", "="),
    ],
)
def test_escape(text: str, escaped: str) -> None:
    assert escape(text) == escaped
    assert quote(text) == f'"{escaped}"'


@pytest.mark.parametrize(
    ("word", "written"),
    [
        ("2DDC5036-F665", "2DDC5036-F665"),
        ("", '""'),
        ("a b", '"a b"'),
        ("a=b", '"a=b"'),
        ('"', '"\\""'),
        ("a#", '"a\\#"'),
    ],
)
def test_as_word(word: str, written: str) -> None:
    assert as_word(word) == written


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("OL CHRG", "OL CHRG"),
        ("Smart-UPS 750 ", "Smart-UPS 750 "),
        ("a\tb\r\nc\x00\x1b[31m\x7f\x9b", "abc[31m"),
        ("Käse 電源", "K?se ??"),
        ("x" * 300, "x" * 255),
        ('"' * 200, '"' * 127),
        ("x" * 254 + "#", "x" * 254),
        ("x" * 253 + "#", "x" * 253 + "#"),
    ],
)
def test_clean(text: str, cleaned: str) -> None:
    assert clean(text) == cleaned


@given(st.text())
def test_whatever_is_cleaned_is_short_and_printable(text: str) -> None:
    cleaned = clean(text)
    assert len(escape(cleaned)) <= MAX_VALUE
    assert all(" " <= character <= "~" for character in cleaned)


printable = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7F), max_size=50)


@given(st.lists(printable, min_size=1, max_size=32))
def test_words_written_are_the_words_read(words: list[str]) -> None:
    for write in (as_word, quote):
        text = f"{' '.join(write(word) for word in words)}\n"
        assert read(text) == [Line(tuple(words), 1)]


@given(st.lists(st.text(st.sampled_from(' ="\\#\nab\x01é'), max_size=40)))
def test_the_cut_does_not_matter_and_nothing_is_raised(pieces: list[str]) -> None:
    limits = {"max_word": 5, "max_words": 3}
    whole = LineReader(**limits)
    parts = LineReader(**limits)
    lines = whole.feed("".join(pieces))
    assert [line for piece in pieces for line in parts.feed(piece)] == lines
    assert parts.finish() == whole.finish()
    for line in lines:
        assert line.error or line.words
        assert len(line.words) <= 3
        assert all(len(word) <= 5 for word in line.words)
