"""Hand-made systems: one module each."""
