"""Where the repository and the fixtures of its tests lie, wherever a test stands."""

from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
FIXTURES = TESTS / "fixtures"
REPOSITORY = TESTS.parent
