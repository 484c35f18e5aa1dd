"""LoRA adapters: training samples, training, and the decision to publish."""
