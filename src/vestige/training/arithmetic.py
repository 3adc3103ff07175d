"""How this machine multiplies matrices: threads, denormals and the float32 path."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

TOLERANCE = 1e-4  # of the root mean square; true float32 gives about 1e-6, bfloat16 about 4e-3


@dataclass(frozen=True)
class Arithmetic:
    """What was set, for the record: torch's float32 matrix-multiply mode and its measured error."""

    matmul_precision: str
    relative_error: float
    threads: int


def configure(threads: int = 1, device: str = "cpu") -> Arithmetic:
    """Set threads, flush denormals, and take the fastest matrix multiply that is still float32.

    The mode "medium" allows faster kernels; on some processors they are true float32, on others they
    round to bfloat16. An error probe decides, so the arithmetic stays float32 everywhere.
    """
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)  # momentum of inputs that are rarely active decays into denormals
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.deterministic = True  # else convolutions add up in an order that changes
    # on CUDA any mode but "highest" rounds its operands to 10 bits or fewer
    if device == "cpu":
        torch.set_float32_matmul_precision("medium")
        if (error := _relative_error()) < TOLERANCE:
            return Arithmetic("medium", error, threads)
    torch.set_float32_matmul_precision("highest")
    return Arithmetic("highest", _relative_error(), threads)


@contextmanager
def restored() -> Generator[None]:
    """Whatever is configured meanwhile, the caller's settings come back."""
    threads, precision = torch.get_num_threads(), torch.get_float32_matmul_precision()
    convolutions, fixed_order = torch.backends.cudnn.allow_tf32, torch.backends.cudnn.deterministic
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.set_float32_matmul_precision(precision)
        torch.backends.cudnn.allow_tf32 = convolutions
        torch.backends.cudnn.deterministic = fixed_order
        torch.set_flush_denormal(False)


def _relative_error() -> float:
    generator = torch.Generator().manual_seed(0)
    left = torch.randn(64, 512, generator=generator)
    right = torch.randn(512, 64, generator=generator)
    exact = left.double() @ right.double()
    return float(((left @ right).double() - exact).abs().max() / exact.square().mean().sqrt())
