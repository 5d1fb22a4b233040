"""Looking at a run while it works: what its files say, and the page served live. Nothing here writes into a run."""
