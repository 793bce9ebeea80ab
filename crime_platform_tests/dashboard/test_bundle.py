"""deck.gl is where the installed pydeck is expected to carry it, and a readable error if not."""

import re

import pytest

from crime_platform.dashboard import deck_bundle as bundle
from crime_platform.dashboard.deck_bundle import BundleError, bundle_path, inlined_bundle


@pytest.fixture
def wheel(tmp_path, monkeypatch):
    """An installed pydeck that is found before the real one; its script is the test's."""
    (tmp_path / "pydeck-0.9.99.dist-info").mkdir()
    metadata = "Metadata-Version: 2.1\nName: pydeck\nVersion: 0.9.99\n"
    (tmp_path / "pydeck-0.9.99.dist-info" / "METADATA").write_text(metadata)
    script = tmp_path / "pydeck" / bundle.PLACE
    script.parent.mkdir(parents=True)
    monkeypatch.syspath_prepend(tmp_path)
    return script


def test_the_installed_wheel_carries_deck():
    assert bundle_path().stat().st_size > 2_000_000
    text = inlined_bundle()
    names = "Deck MapView GridCellLayer LineLayer BitmapLayer LightingEffect COORDINATE_SYSTEM"
    assert [name for name in names.split() if name not in text] == []


def test_the_inlined_script_cannot_end_its_element_and_keeps_its_licences():
    text = inlined_bundle()

    assert re.search("</script", text, re.IGNORECASE) is None
    assert "sourceMappingURL" not in text
    assert text.count("@license") == bundle_path().read_text(encoding="utf-8").count("@license") > 0


def test_what_would_end_the_element_is_escaped(wheel, monkeypatch):
    monkeypatch.setattr(bundle, "LEAST_BYTES", 1)
    text = '/*! MIT */ a("</script>", "</SCRIPT >");\n//# sourceMappingURL=index.js.map\n'
    wheel.write_text(text)

    assert inlined_bundle() == '/*! MIT */ a("<\\/script>", "<\\/SCRIPT >");\n'


def test_a_missing_script_names_the_version_and_the_cure(wheel):
    assert not wheel.exists()
    with pytest.raises(BundleError, match=r"pydeck 0\.9\.99 .*the file is missing.*pip install"):
        bundle_path()


def test_a_stub_instead_of_the_script_is_refused(wheel):
    wheel.write_text("require('https://cdn')")
    with pytest.raises(BundleError, match=r"more than 2,000,000 bytes, .*is 22 bytes long"):
        inlined_bundle()


def test_without_pydeck_the_cure_is_told(monkeypatch):
    monkeypatch.setattr(bundle, "PACKAGE", "pydeck_that_nobody_has")
    with pytest.raises(BundleError, match=r"which carries deck\.gl, is not installed"):
        bundle_path()
