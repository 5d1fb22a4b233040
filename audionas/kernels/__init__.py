"""Fast paths of operations on the CPU: C++ compiled on first use, each with a twin in plain torch.

A kernel's twin runs where there is no compiler, on other devices and for other types of numbers. Which of the two a
process takes is decided once (`kernel_path`) and stands in every run folder.
"""

from audionas.kernels.loader import kernel_path, library, use_kernels

__all__ = ["kernel_path", "library", "use_kernels"]
