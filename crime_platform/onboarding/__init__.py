"""From a folder of files to an area that runs: new-area drafts its TOML, check-area tries it."""
