"""The size of a sample's loss gradient in the last layer, from a forward pass alone."""

import torch
from torch import Tensor


def last_layer_gradient_norm(logits: Tensor, targets: Tensor, features: Tensor) -> Tensor:
    """|| d loss / d (weight, bias) || of the last linear layer = ||p - e_y|| sqrt(||h||^2 + 1).

    logits: [... samples classes]; targets: [samples]; features h, the layer's inputs: [... samples
    features]; returns [... samples]. The gradient of cross-entropy is the outer product of p - e_y and
    (h, 1), whose norm is the product of the two norms.
    """
    p = torch.softmax(logits, -1)
    index = targets.expand(logits.shape[:-1]).unsqueeze(-1)
    residual = p.scatter_add(-1, index, torch.full_like(p[..., :1], -1.0))
    return residual.norm(dim=-1) * (features.square().sum(-1) + 1).sqrt()
