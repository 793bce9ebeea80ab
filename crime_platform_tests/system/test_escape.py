import pytest
from hypothesis import given
from hypothesis import strategies as st

from crime_platform.system.escape import (
    csv_text,
    markdown,
    markdown_link,
    printable,
    web_address,
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Assault\x1b[2Jgone", "Assault\\x1b[2Jgone"),
        ("a\rb\x07c\x9bd\x00", "a\\x0db\\x07c\\x9bd\\x00"),
        ("abc\u202etxt.exe", "abc\\u202etxt.exe"),
        ("Überfälle\t\n日本", "Überfälle\t\n日本"),
    ],
)
def test_control_characters_are_written_out(text, shown):
    assert printable(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("# Big", r"\# Big"),
        ("- item", r"\- item"),
        ("1. first", r"1\. first"),
        ("[click](javascript:alert(1))", r"\[click\](javascript:alert(1))"),
        ("![x](http://a.b/c.png)", r"!\[x\](http://a.b/c.png)"),
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("**loud** `code` a|b ~~c~~", r"\*\*loud\*\* \`code\` a\|b \~\~c\~\~"),
        ("two\n\n# lines", r"two \# lines"),
        ("historical_average _soft_", r"historical_average \_soft\_"),
        ("&lt;b&gt;", "&amp;lt;b&amp;gt;"),
        ("95 % of 4.5 (2 + 3) - fine!", "95 % of 4.5 (2 + 3) - fine!"),
    ],
)
def test_markdown_is_text(text, shown):
    assert markdown(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "http://",
        "https://a b",
        "https://a.b/<img>",
        "https://[::1",
        "//no.scheme",
        "ht\ntp://a.b",
    ],
)
def test_only_web_addresses_become_links(text):
    assert web_address(text) is None
    assert not markdown_link(text).startswith("<")


def test_a_web_address_is_a_link():
    assert markdown_link("https://data.police.uk/about/?a=1&b=2") == (
        "<https://data.police.uk/about/?a=1&b=2>"
    )


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("+1+2", "'+1+2"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\tx", "'\tx"),
        ("\rx", "'\rx"),
        ("-79.38", "-79.38"),
        ("+1e5", "+1e5"),
        (-3, -3),
        (-0.5, -0.5),
        (None, None),
        ("assault", "assault"),
    ],
)
def test_a_field_is_no_formula_and_a_number_stays_a_number(value, field):
    assert csv_text(value) == field


@given(st.text())
def test_nothing_that_is_printed_moves_the_cursor(text):
    assert all(
        letter.isprintable() or letter in "\n\t" or ord(letter) > 0x9F for letter in printable(text)
    )


@given(st.text())
def test_no_field_begins_like_a_formula_unless_it_is_a_number(text):
    field = csv_text(text)
    assert isinstance(field, str)
    assert not field.startswith(("=", "@", "\t", "\r"))
