"""Whether a score is above chance, one system better than another, and how sure that is; the unit is the group."""
