"""The default model: training, leakage gate, promotion, validation and scoring."""
