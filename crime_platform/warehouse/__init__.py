"""The private database: incidents, counts, verdicts, and the tables that hold them."""
