"""Publishers' files turned into incidents: finding, hashing, sniffing, parsing by mapping."""
