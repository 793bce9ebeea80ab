"""Text turned into UTF-8, and the encoding that a text looks like where it is not."""

import codecs
import re
from pathlib import Path

from charset_normalizer import from_bytes

from crime_platform.sources.files.archives import chunks, fresh_path
from crime_platform.sources.files.kinds import marked_encoding
from crime_platform.vocabulary.incident import SourceFormatError

SAMPLE_BYTES = 1 << 16  # of lines that are not ASCII: enough to tell languages apart
MAX_LINE_BYTES = 1 << 12
# Bytes 80 to 9f are control characters in ISO 8859-1, and letters in what is called so.
EUROPEAN = ("cp1252", "cp1250", "cp1254", "cp1257", "cp850", "mac_roman")
WITH_ZEROS = ("utf_16", "utf_16_be", "utf_16_le", "utf_32", "utf_32_be", "utf_32_le", "utf_7")
_IN_WORDS = "\u2019\u00b4\u00b7"  # apostrophe, acute accent, the dot of Catalan
# Quotation marks, dashes, dots, euro, degree, section, guillemets, Spanish marks, hard blank.
_SIGNS = (
    f"{_IN_WORDS}\u2018\u201c\u201d\u201e\u2013\u2014\u2026\u20ac\u00b0\u00a7\u00ab\u00bb"
    "\u00bf\u00a1\u00a0"
)
_HIGH_BYTES = re.compile(rb"[\x80-\xff]+")


def as_utf8(path: Path, label: str, scratch: Path, encoding: str | None) -> Path:
    """The file itself if it is UTF-8 or nothing else is known of it, else a copy that is.

    Raises:
        SourceFormatError: if the encoding is not known, or the text is not written in it.
    """
    with path.open("rb") as file:
        marked = marked_encoding(file.read(4))
    written_in = marked or encoding or "utf-8"
    if _codec_name(written_in, label) in ("utf-8", "utf-8-sig"):
        return path
    return _rewritten(path, label, scratch, written_in)


def looks_like(path: Path) -> str | None:
    """Encoding that a text which is not UTF-8 looks like; None of one that is UTF-8.

    It rests on the lines that are not ASCII, and is a guess.
    """
    if _is_utf8(path):
        return None
    sample = b""
    with path.open("rb") as file:
        while len(sample) < SAMPLE_BYTES and (line := file.readline(MAX_LINE_BYTES)):
            sample += b"" if line.isascii() else line
    # Single letters with accents are European; other scripts stand in words, of bytes in a row.
    runs = _HIGH_BYTES.findall(sample)
    is_european = len(b"".join(runs)) < 1.5 * len(runs)
    found = from_bytes(
        sample,
        cp_isolation=_most_plausible(sample) if is_european else None,
        cp_exclusion=None if is_european else list(WITH_ZEROS),
    )
    best = found.best()
    if best is None:
        return _most_plausible(sample)[0]
    as_good = [
        each for each in found if (each.chaos, each.coherence) == (best.chaos, best.coherence)
    ]
    names = {name for each in as_good for name in each.could_be_from_charset}
    return EUROPEAN[0] if is_european and EUROPEAN[0] in names else best.encoding


def _most_plausible(sample: bytes) -> list[str]:
    """The European encodings by which most of the letters look like letters of words.

    What an alphabet makes of another's bytes are signs within words, and capitals behind small
    letters. A detector that goes by languages is led astray by a few words among many numbers.
    """
    odd = {encoding: _n_odd(sample, encoding) for encoding in EUROPEAN}
    return [encoding for encoding in EUROPEAN if odd[encoding] == min(odd.values())]


def _n_odd(sample: bytes, encoding: str) -> int:
    """Letters of a text that cannot be meant if it is written so; all bytes where it is not."""
    try:
        text = sample.decode(encoding)
    except UnicodeDecodeError:
        return len(sample)
    around = zip(f" {text}", text, f"{text[1:]} ", strict=False)
    return sum(_is_odd(*letters) for letters in around if not letters[1].isascii())


def _is_odd(before: str, letter: str, after: str) -> bool:
    if letter.isalpha():
        return letter.isupper() and before.islower()
    return letter not in _SIGNS or (
        letter not in _IN_WORDS and before.isalpha() and after.isalpha()
    )


def _is_utf8(path: Path) -> bool:
    decode = codecs.getincrementaldecoder("utf-8")().decode
    try:
        with path.open("rb") as file:
            for chunk in chunks(file.read):
                decode(chunk)
            decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _codec_name(encoding: str, label: str) -> str:
    try:
        "a".encode(encoding)  # some codecs are known and not of text
        return codecs.lookup(encoding).name
    except (LookupError, ValueError) as error:
        raise SourceFormatError(
            f"{label}: encoding {encoding!r} is not known; write e.g. cp1252 or leave it out"
        ) from error


def _rewritten(path: Path, label: str, scratch: Path, encoding: str) -> Path:
    target = fresh_path(scratch)
    decode = codecs.getincrementaldecoder(encoding)().decode
    try:
        with path.open("rb") as source, target.open("wb") as out:
            for chunk in chunks(source.read):
                out.write(decode(chunk).encode())
            out.write(decode(b"", final=True).encode())
    except UnicodeError as error:
        found = looks_like(path)
        advice = f"it looks like {found}: " if found else ""
        raise SourceFormatError(
            f"{label}: not {encoding} throughout: {_reason(error)}; {advice}"
            f'state its encoding under [[source]], e.g. encoding = "{found or "utf-8"}"'
        ) from error
    return target


def _reason(error: UnicodeError) -> str:
    return getattr(error, "reason", str(error))  # without the piece of text that it is about
