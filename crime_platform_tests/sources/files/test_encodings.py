"""What a text that is not UTF-8 looks like."""

import pytest

from crime_platform.sources.files.encodings import looks_like


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("cp1252", "Diebstahl \u00fcber\n"),
        ("cp1252", "Robo a transe\u00fante\nLesi\u00f3n dolosa\nDa\u00f1o\n" * 20),
        (
            "cp1250",
            "Kr\u00e1de\u017e vloup\u00e1n\u00edm do byt\u016f, loupe\u017e p\u0159epaden\u00edm\n"
            * 9,
        ),
        (
            "cp1251",
            "\u041a\u0440\u0430\u0436\u0430\n\u0413\u0440\u0430\u0431\u0451\u0436\n\u0423\u0431\u0438\u0439\u0441\u0442\u0432\u043e\n"
            * 9,
        ),
        ("cp1252", "Datum;L\u00e4nge;Breite\n" + "31.01.2021;R\u00e4uberei;-79,38;43,65\n" * 99),
        ("cp1252", "l\u2019\u00e9t\u00e9 \u2013 \u00abvol\u00bb;n\u00b0 5\n" * 9),
        ("cp850", "Dano\nagress\u00e3o\nfurto de ve\u00edculo\n" * 9),
    ],
)
def test_an_encoding_is_told_by_its_letters(tmp_path, encoding, text):
    (tmp_path / "a.csv").write_bytes(text.encode(encoding))

    assert looks_like(tmp_path / "a.csv") == encoding


@pytest.mark.parametrize("text", ["plain\n", "\u00fcber\n" * 9, "x" * 4095 + "\u00fc\n"])
def test_utf8_looks_like_itself(tmp_path, text):
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")

    assert looks_like(tmp_path / "a.csv") is None
