"""Form of a label that does not depend on how it is spelt: capitals, accents, blanks and dashes."""

import difflib
import re
import unicodedata
from collections.abc import Iterable

from anyascii import anyascii

_ACCENTS = re.compile("[\u0300-\u036f]")  # marks of other scripts make other letters
_APART = r"[\s_./,:;'\"`\u2019()\u2010-\u2015-]+"
_UMLAUT = re.compile("(?<=[aou])e")


def spelling_key(label: str) -> str:
    """The letters and digits of a label, alike for all ways to spell it.

    `LESION  DOLOSA` is `Lesión dolosa`, `KOERPERVERLETZUNG` is `Körperverletzung`, `Break-in` is
    `BREAK IN`. Signs that tell labels apart stay, as in `Theft < $500`.
    """
    plain = _ACCENTS.sub("", unicodedata.normalize("NFKD", label))
    # Only Latin letters: those of other scripts sound alike where they are different words.
    letters = "".join(anyascii(letter) if _is_latin(letter) else letter for letter in plain)
    folded = _UMLAUT.sub("", letters.casefold())
    codes_apart = re.sub(rf"(?<=\d){_APART}(?=\d)", "|", folded)  # 1.1 is not 11
    return re.sub(_APART, "", codes_apart) or label


def label_meant(label: str, known: Iterable[str]) -> str | None:
    """The known label that is only spelt in another way, else one that is nearly the same."""
    by_spelling = {spelling_key(each): each for each in known}
    close = difflib.get_close_matches(spelling_key(label), list(by_spelling), n=1, cutoff=0.75)
    return by_spelling[close[0]] if close else None


def _is_latin(letter: str) -> bool:
    return "LATIN" in unicodedata.name(letter, "")
