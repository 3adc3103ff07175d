"""Plain PyTorch models with PyTorch's default initialization."""
