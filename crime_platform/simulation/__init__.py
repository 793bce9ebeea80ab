"""An invented city's files in a real publisher's format; nothing in them ever happened.

Places and levels come from `places`, counts from `process`, rows from `victimisations`, files from
`downloads`; `simulate` puts them together. Everything written says that it is simulated.
"""
