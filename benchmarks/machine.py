"""What the figures were taken on."""

import datetime
import platform
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy
import torch

from benchmarks.measure import CORES, LOAD_AT_START, overloaded


@dataclass(frozen=True)
class Machine:
    """The processor, the accelerator if any, versions and load."""

    title: str
    facts: tuple[str, ...]

    @classmethod
    def here(cls) -> "Machine":
        device = torch.cuda.get_device_name() if torch.cuda.is_available() else ""
        title = f"{_processor()}, {CORES} cores" + (f", {device}" if device else "")
        busy = f"more than the {CORES} cores: no verdicts" if overloaded() else f"of {CORES} cores"
        return cls(
            title,
            (
                f"{datetime.date.today().isoformat()}, {platform.system()} {platform.release()}",
                f"instructions: {torch.backends.cpu.get_cpu_capability()}{_bfloat16()}",
                f"Python {platform.python_version()}, torch {torch.__version__}, "
                f"numpy {np.__version__}, scipy {scipy.__version__}",
                f"load average before the run {LOAD_AT_START:.2f}, {busy}",
            ),
        )


def _cpuinfo(key: str) -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), "")


def _processor() -> str:
    family, model = _cpuinfo("cpu family"), _cpuinfo("model\t")
    name = _cpuinfo("model name") or platform.processor() or platform.machine()
    return f"{name} (family {family}, model {model})" if family else name


def _bfloat16() -> str:
    flags = _cpuinfo("flags").split()
    return "".join(f", {flag}" for flag in ("avx512_bf16", "amx_bf16") if flag in flags)
