"""Names that a shell completes, where their table would load torch; a test compares them with the tables."""

from __future__ import annotations

FEATURES = (
    "attention_pooling_cnn", "cepstra_10ms", "cnn_blstm", "emotionnas", "emotionnas-literal", "fop", "log_mel",
    "log_mel_deltas", "log_mel_frames", "log_mel_small", "mfcc", "spectrogram", "spectrogram_3s",
    "spectrogram_any_length",
)  # fmt: skip
ENCODERS = ("emotionnas_wav2vec", "fop", "ge2e", "pretrained", "wav2vec")
DATASETS = (
    "crema_d", "csv", "emodb", "esc10", "esc50", "folder_per_label", "fsdd", "iemocap", "iemocap_all",
    "iemocap_excited", "ravdess", "ravdess_all", "ravdess_song", "speech_commands", "urbansound8k",
)  # fmt: skip
BASELINES = (
    "attention_pooling_cnn", "bigru", "cnn_blstm", "cnn_gru", "cnn_lstm", "ctc_rnn", "fop", "lstm",
    "pcnse_sadrn_ctc", "plain_cnn", "resnet18_slim_16", "resnet18_slim_32", "resnet18_slim_8", "rnn_elm",
)  # fmt: skip
PLAIN_BASELINES = ("duration", "functionals", "label", "logistic", "majority", "mean", "ridge")
PROTOCOLS = ("folds", "folds_with_dev", "leave_one_group_out", "speaker_pairs", "speaker_pairs:F", "speaker_pairs:M")
TASKS = ("classification", "multilabel", "regression")
ENGINES = ("in_process", "process_pool", "ray")
PAPERS = (
    "attention-pooling", "cnn-blstm", "cnn-gru", "cnn-lstm", "ctc-rnn", "emotionnas", "fop", "pcnse-sadrn-ctc",
    "rnn-elm",
)  # fmt: skip
SHELVES = ("spaces", "strategies", "baselines", "ops", "features", "datasets", "augmentations")
