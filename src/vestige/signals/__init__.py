"""What one forward pass yields per sample, and where it is kept."""
