"""Which client asks which kind of API, and the app token that goes with its questions."""

import os
from collections.abc import Callable, Mapping

from crime_platform.sources.api import arcgis, socrata
from crime_platform.sources.api.dataset import Dataset
from crime_platform.sources.api.http_client import RateLimitedClient, RetryPolicy, no_trouble
from crime_platform.study_area.source import Source
from crime_platform.study_area.source_api import ARCGIS, SOCRATA, SourceApi
from crime_platform.vocabulary.incident import SourceFormatError

_DATASETS: Mapping[str, Callable[[Source, SourceApi, str, RateLimitedClient], Dataset]] = {
    SOCRATA: socrata.SocrataDataset,
    ARCGIS: arcgis.ArcgisLayer,
}
_TROUBLE = {SOCRATA: no_trouble, ARCGIS: arcgis.passing_trouble}


def open_datasets(source: Source, api: SourceApi, retries: RetryPolicy | None) -> list[Dataset]:
    """One client per dataset of a source, in the order of the TOML; nothing is asked yet.

    Raises:
        SourceFormatError: if the token's variable holds what can be no token.
    """
    header = _token_header(source.format, api)
    return [
        _DATASETS[source.format](
            source,
            api,
            url,
            RateLimitedClient(
                url,
                requests_per_second=api.requests_per_second,
                token_header=header,
                retries=retries,
                trouble=_TROUBLE[source.format],
            ),
        )
        for url in api.urls
    ]


def _token_header(form: str, api: SourceApi) -> dict[str, str]:
    """The header with the app token, when the environment has one. It is shown nowhere."""
    token = os.environ.get(api.token_variable or "", "").strip()
    if not token:
        return {}
    if not (token.isascii() and token.isprintable() and " " not in token):
        raise SourceFormatError(
            f"environment variable {api.token_variable}: holds blanks, line ends or signs that no "
            "token has; set it to the app token alone"
        )
    if form == ARCGIS:
        return {arcgis.TOKEN_HEADER: f"Bearer {token}"}
    return {socrata.TOKEN_HEADER: token}
