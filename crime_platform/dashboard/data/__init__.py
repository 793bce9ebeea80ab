"""Parts of the release as the page reads them."""
