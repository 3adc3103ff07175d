"""Group normalization in place of batch normalization."""

import math

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm  # pyright: ignore[reportPrivateUsage]

MOST_GROUPS = 32  # Wu and He 2018, Group Normalization


def without_batch_norm(module: nn.Module) -> nn.Module:
    """The module with each batch normalization replaced, in place, by group normalization.

    A batch normalization of C channels gives way to gcd(32, C) groups, which is min(32, C) where C is a power
    of two. Its running statistics go; scale and shift start at 1 and 0, as they did.
    """
    if isinstance(module, _BatchNorm):
        return _grouped(module)
    parts = module.named_modules(remove_duplicate=False)
    found = [(path, part) for path, part in parts if isinstance(part, _BatchNorm)]
    grouped = {part: _grouped(part) for _, part in found}
    for path, part in found:
        parent, _, name = path.rpartition(".")
        setattr(module.get_submodule(parent), name, grouped[part])
    return module


def _grouped(module: _BatchNorm) -> nn.GroupNorm:
    groups = math.gcd(MOST_GROUPS, module.num_features)
    grouped = nn.GroupNorm(groups, module.num_features, affine=module.affine)
    return grouped.to(module.weight.device) if module.affine else grouped
