"""What is made of short texts is remembered."""

from fhir_server.search.recall import recalled


def test_a_short_text_is_read_once_and_a_long_one_is_not_kept():
    read = []

    @recalled
    def length(text: str) -> int:
        read.append(len(text))
        return len(text)

    assert [length(each) for each in ("a", "a", "b" * 300, "b" * 300)] == [1, 1, 300, 300]
    assert read == [1, 300, 300]
