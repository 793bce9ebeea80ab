"""The 3D dashboard: parts of the published release for one page, served or exported.

Everything is read from the release alone. Where do I look? `areas` says what the release holds;
`cells`, `streets`, `accuracy` and `about` turn its tables into parts, `container` is their binary
form; `downloads` has the rows of what is shown; `server` and `export` hand out the page in `web`.
"""
