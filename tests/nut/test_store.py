"""The store: exact lines for exact changes, and dumps in NUT's order.

(nut-driver-contract.md 3.3, checklist 34 to 38 and 54 to 57)
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usbhidups.nut.store import MAX_LINE, Published, VariableStore
from usbhidups.nut.words import MAX_WORD, MAX_WORDS, LineReader

OL = {"ups.status": Published("OL")}
STALE_EMPTY = b"DATASTALE\nDUMPDONE\n"

FULL = Published(
    "10", writable=True, string=True, length=10, enum=("10", '2"'), ranges=((0, 5), (10, -1))
)
FULL_LINES = (
    b'SETINFO a.b "10"\n'
    b'ADDENUM a.b "10"\n'
    b'ADDENUM a.b "2\\""\n'
    b"ADDRANGE a.b 0 5\n"
    b"ADDRANGE a.b 10 -1\n"
    b"SETAUX a.b 10\n"
    b"SETFLAGS a.b RW STRING NUMBER\n"
)


def filled(variables: dict[str, Published], *commands: str) -> VariableStore:
    store = VariableStore()
    store.apply(variables, commands, fresh=True)
    return store


@pytest.mark.parametrize(
    ("value", "lines"),
    [
        (Published("OL"), b'SETINFO a.b "OL"\n'),
        (Published(""), b'SETINFO a.b ""\n'),
        (Published('a "b" # \\c'), b'SETINFO a.b "a \\"b\\" \\# \\\\c"\n'),
        (Published("a\nDATASTALE\n"), b'SETINFO a.b "aDATASTALE"\n'),
        (Published("é"), b'SETINFO a.b "?"\n'),
        (FULL, FULL_LINES),
        (
            Published("60", writable=True, string=True, length=10),
            b'SETINFO a.b "60"\nSETAUX a.b 10\nSETFLAGS a.b RW STRING\n',
        ),
        (
            Published("60", writable=True, string=True),
            b'SETINFO a.b "60"\nSETAUX a.b 255\nSETFLAGS a.b RW STRING\n',
        ),
        (
            Published("0", writable=True, number=True),
            b'SETINFO a.b "0"\nSETFLAGS a.b RW NUMBER\n',
        ),
        (
            Published("x", enum=("x", "x\n", "y")),
            b'SETINFO a.b "x"\nADDENUM a.b "x"\nADDENUM a.b "y"\n',
        ),
    ],
)
def test_a_new_variable_in_a_broadcast_and_in_a_dump(value: Published, lines: bytes) -> None:
    store = VariableStore()
    assert store.apply({"a.b": value}, (), fresh=False) == lines
    assert store.dump() == b"DATASTALE\n" + lines + b"DUMPDONE\n"
    assert store.apply({"a.b": value}, (), fresh=False) == b""


@pytest.mark.parametrize(
    ("old", "new", "lines"),
    [
        (Published("1"), Published("1"), b""),
        (Published("1"), Published("1\n"), b""),
        (Published("1"), Published("2"), b'SETINFO a.b "2"\n'),
        (Published("ok"), Published("OK"), b'DELINFO a.b\nSETINFO a.b "OK"\n'),
        (
            Published("1"),
            Published("1", writable=True, number=True),
            b"SETFLAGS a.b RW NUMBER\n",
        ),
        (
            Published("1", writable=True, number=True),
            Published("1", number=True),
            b"SETFLAGS a.b NUMBER\n",
        ),
        (
            Published("1", writable=True, string=True, length=3),
            Published("1"),
            b'DELINFO a.b\nSETINFO a.b "1"\n',
        ),
        (
            Published("1", writable=True, string=True, length=3),
            Published("1", writable=True, string=True, length=4),
            b"SETAUX a.b 4\n",
        ),
        (Published("1", length=3), Published("2"), b'SETINFO a.b "2"\nSETAUX a.b 0\n'),
        (
            Published("1", enum=("1", "2")),
            Published("3", enum=("2", "3")),
            b'SETINFO a.b "3"\nDELENUM a.b "1"\nDELENUM a.b "2"\n'
            b'ADDENUM a.b "2"\nADDENUM a.b "3"\n',
        ),
        (
            Published("1", ranges=((0, 5),)),
            Published("1", ranges=((0, 6),)),
            b"DELRANGE a.b 0 5\nADDRANGE a.b 0 6\n",
        ),
        (
            Published("1"),
            Published("1", ranges=((0, 6),)),
            b"ADDRANGE a.b 0 6\nSETFLAGS a.b NUMBER\n",
        ),
    ],
)
def test_a_change(old: Published, new: Published, lines: bytes) -> None:
    store = filled({"a.b": old})
    assert store.apply({"a.b": new}, (), fresh=True) == lines
    assert store.apply({"a.b": new}, (), fresh=True) == b""


def test_variables_and_commands_come_and_go_in_order() -> None:
    store = filled({"b": Published("1"), "A": Published("1"), "_".join("xy"): Published("1")}, "c")
    lines = store.apply(
        {"b": Published("1"), "aa": Published("2"), "C": Published("3")}, ["Z", "d"], fresh=True
    )
    assert lines == (
        b'DELINFO A\nDELINFO x_y\nSETINFO aa "2"\nSETINFO C "3"\nDELCMD c\nADDCMD d\nADDCMD Z\n'
    )
    assert store.dump() == (
        b'SETINFO aa "2"\nSETINFO b "1"\nSETINFO C "3"\nADDCMD d\nADDCMD Z\nDATAOK\nDUMPDONE\n'
    )
    assert store.commands == ("d", "Z")
    assert store.texts() == [("aa", "2"), ("b", "1"), ("C", "3")]


def test_a_name_in_another_case_is_the_same_variable() -> None:
    store = filled(OL)
    assert store.apply({"UPS.Status": Published("OL")}, (), fresh=True) == (
        b'DELINFO ups.status\nSETINFO UPS.Status "OL"\n'
    )
    assert store.text("ups.STATUS") == "OL"
    assert store.variable("ups.status") == Published("OL")


def test_freshness() -> None:
    store = VariableStore()
    assert not store.fresh
    assert store.dump() == STALE_EMPTY
    assert store.apply(OL, ["x"], fresh=True) == b'SETINFO ups.status "OL"\nADDCMD x\nDATAOK\n'
    assert store.fresh
    assert store.dump() == b'SETINFO ups.status "OL"\nADDCMD x\nDATAOK\nDUMPDONE\n'
    assert store.apply(OL, ["x"], fresh=True) == b""
    assert store.apply({}, ["x"], fresh=False) == b"DATASTALE\nDELINFO ups.status\n"
    assert store.dump() == b"DATASTALE\nADDCMD x\nDUMPDONE\n"
    assert store.apply({}, ["x"], fresh=False) == b""
    assert store.apply({}, ["x"], fresh=True) == b"DATAOK\n"


def test_single_values() -> None:
    store = filled({**OL, "a.b": FULL}, "x")
    assert store.dump_status() == b'SETINFO ups.status "OL"\nDATAOK\nDUMPDONE\n'
    assert store.dump_value("UPS.STATUS") == store.dump_status()
    assert store.dump_value("a.b") == FULL_LINES + b"DATAOK\nDUMPDONE\n"
    assert store.dump_value("nosuch") == b"DATAOK\nDUMPDONE\n"
    assert VariableStore().dump_status() == STALE_EMPTY
    assert store.text("nosuch") is None
    assert store.variable("nosuch") is None


def test_an_override_is_there_from_the_start_and_rules() -> None:
    store = VariableStore(overrides={"battery.charge.low": "30"})
    assert store.dump() == b'DATASTALE\nSETINFO battery.charge.low "30"\nDUMPDONE\n'
    device = {"Battery.Charge.Low": Published("10", writable=True, string=True, length=3)}
    assert store.apply(device, (), fresh=True) == b"DATAOK\n"
    assert store.apply({}, (), fresh=True) == b""
    found = store.variable("battery.charge.low")
    assert found is not None
    assert not found.writable


def test_a_default_stands_in_and_hides_nothing() -> None:
    store = VariableStore(defaults={"battery.charge": "42"}, overrides={"x": "1"})
    assert store.dump() == b'DATASTALE\nSETINFO battery.charge "42"\nSETINFO x "1"\nDUMPDONE\n'
    device = {"battery.charge": Published("100")}
    assert store.apply(device, (), fresh=True) == b'SETINFO battery.charge "100"\nDATAOK\n'
    assert store.apply({}, (), fresh=True) == b'SETINFO battery.charge "42"\n'


@pytest.mark.parametrize("name", ["", "a b", 'a"', "a\n", "é", "=", "x" * 129, ".a"])
def test_what_is_no_name_is_refused_and_changes_nothing(name: str) -> None:
    store = filled(OL)
    before = store.dump()
    with pytest.raises(ValueError, match="not a name"):
        store.apply({name: Published("1")}, (), fresh=False)
    with pytest.raises(ValueError, match="not a name"):
        store.apply({}, [name], fresh=False)
    assert store.dump() == before
    assert store.apply(OL, (), fresh=True) == b""


names = st.sampled_from(["ups.status", "a", "B", "b.c", "x" * 128])
published = st.builds(
    Published,
    text=st.text(max_size=300) | st.sampled_from(["ok", "OK"]),
    writable=st.booleans(),
    string=st.booleans(),
    number=st.booleans(),
    length=st.integers(-1, 300),
    enum=st.lists(st.text(max_size=300), max_size=3).map(tuple),
    ranges=st.lists(st.tuples(st.integers(), st.integers(0, 99)), max_size=3).map(tuple),
)
views = st.tuples(
    st.dictionaries(names, published), st.sets(st.sampled_from(["c", "d", "E"])), st.booleans()
)


class Mirror:
    """What a client makes of the lines: NUT's upsd in a few words, written from the contract."""

    def __init__(self) -> None:
        self.variables: dict[str, dict[str, object]] = {}
        self.commands: set[str] = set()
        self.fresh = False

    def hear(self, data: bytes) -> None:
        assert all(len(line) <= MAX_LINE for line in data.splitlines(keepends=True))
        assert all(byte == 10 or 0x20 <= byte <= 0x7E for byte in data)
        for line in LineReader(max_word=MAX_WORD, max_words=MAX_WORDS).feed(data.decode()):
            assert not line.error
            self._line(*line.words)

    def _line(self, keyword: str, name: str = "", *values: str) -> None:
        there = self.variables.get(name)
        match keyword:
            case "SETINFO":
                assert len(values) == 1
                if there is None:
                    there = {"enum": [], "ranges": [], "aux": 0, "flags": set()}
                    self.variables[name] = there
                elif str(there["text"]).lower() == values[0].lower():
                    return  # as upsd: no change
                there["text"] = values[0]
            case "DELINFO":
                del self.variables[name]
            case "ADDCMD":
                self.commands.add(name)
            case "DELCMD":
                self.commands.remove(name)
            case "DATAOK" | "DATASTALE":
                self.fresh = keyword == "DATAOK"
            case "DUMPDONE":
                pass
            case _:
                assert there is not None
                self._about(there, keyword, values)

    @staticmethod
    def _about(there: dict[str, object], keyword: str, values: tuple[str, ...]) -> None:
        enum, ranges = there["enum"], there["ranges"]
        assert isinstance(enum, list)
        assert isinstance(ranges, list)
        match keyword:
            case "ADDENUM":
                enum.append(values[0])
            case "DELENUM":
                enum.remove(values[0])
            case "ADDRANGE":
                ranges.append((int(values[0]), int(values[1])))
            case "DELRANGE":
                ranges.remove((int(values[0]), int(values[1])))
            case "SETAUX":
                there["aux"] = int(values[0])
            case "SETFLAGS":
                if values:  # as upsd: an empty list is ignored
                    there["flags"] = set(values)
            case _:
                pytest.fail(keyword)


@given(st.lists(views, max_size=6))
def test_who_hears_the_changes_knows_what_a_dump_says(
    steps: list[tuple[dict[str, Published], set[str], bool]],
) -> None:
    store, listener = VariableStore(), Mirror()
    for variables, commands, fresh in steps:
        listener.hear(store.apply(variables, commands, fresh=fresh))
        newcomer = Mirror()
        newcomer.hear(store.dump())
        assert listener.variables == newcomer.variables
        assert listener.commands == newcomer.commands == commands
        assert listener.fresh == newcomer.fresh == fresh
        assert store.apply(variables, commands, fresh=fresh) == b""
