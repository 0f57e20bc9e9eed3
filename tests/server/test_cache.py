"""What is kept is what was used last, and never more than there is room for."""

from collections import OrderedDict

from hypothesis import given
from hypothesis import strategies as st

from latentwalk.server.cache import Cache

ENTRY = 1024
"""What an entry takes besides."""


def size_of(key, kept):
    return key * 100 + len(kept)


uses = st.lists(st.tuples(st.booleans(), st.integers(0, 8), st.integers(0, 3_000)), max_size=60)


@given(uses=uses, capacity=st.integers(0, 12_000))
def test_what_was_used_last_is_kept_as_far_as_there_is_room(uses, capacity):
    cache, expected = Cache(capacity, size_of), OrderedDict()
    for is_kept, key, length in uses:
        if is_kept:
            content = bytes(length)
            cache.keep(key, content)
            if key not in expected and size_of(key, content) + ENTRY <= capacity:
                expected[key] = content
            while held(expected) > capacity:
                expected.popitem(last=False)
        else:
            assert cache.find(key) == expected.get(key)
            if key in expected:
                expected.move_to_end(key)
        assert cache.bytes == held(expected) <= capacity
    assert {key: cache.find(key) for key in range(9)} == {key: expected.get(key) for key in range(9)}


def held(entries):
    return sum(size_of(key, kept) + ENTRY for key, kept in entries.items())


def test_what_fills_it_to_the_last_byte_is_kept():
    cache = Cache(2 * (ENTRY + 10), lambda key, kept: len(kept))
    for key in "ab":
        cache.keep(key, bytes(10))
    assert (cache.find("a"), cache.find("b")) == (bytes(10), bytes(10))


def test_what_was_asked_for_since_outlives_what_was_not():
    cache = Cache(2 * (ENTRY + 10), lambda key, kept: len(kept))
    for key in "ab":
        cache.keep(key, bytes(10))
    cache.find("a")
    cache.keep("c", bytes(10))
    assert [cache.find(key) is not None for key in "abc"] == [True, False, True]
