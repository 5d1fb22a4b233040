"""Fast paths of operations on the CPU: C++ compiled on first use, each with a twin in plain torch.

A kernel's twin runs where there is no compiler, on other devices and for other types of numbers. Which of the two a
process takes is decided once (`kernel_path`) and stands in every run folder.
"""

from audionas.kernels.loader import (
    as_on_card,
    goes_as_on_card,
    is_torch_only,
    kernel_path,
    library,
    tell,
    tell_of_kernels,
    torch_only,
    use_kernels,
)

__all__ = [
    "as_on_card", "goes_as_on_card", "is_torch_only", "kernel_path", "library", "tell", "tell_of_kernels", "torch_only",
    "use_kernels",
]  # fmt: skip
