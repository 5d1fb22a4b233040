"""Training and scoring of networks: batches, losses, metrics, predictions. No NNI."""
