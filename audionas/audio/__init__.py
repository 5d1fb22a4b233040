"""Audio files, the manifest that lists them, and the folds that never split a group."""
