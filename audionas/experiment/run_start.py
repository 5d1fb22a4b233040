"""What a run sets in its process before it computes: threads, denormals, and which kernels it takes to its end."""

from __future__ import annotations

from audionas.errors import RunError, SettingsError
from audionas.experiment.machine import use_threads
from audionas.experiment.run_folder import RunFolder
from audionas.experiment.talk import Talk
from audionas.kernels import use_kernels


def start_computing(run: RunFolder, talk: Talk) -> None:
    """Set threads and kernels; a run that was stopped goes on with the kernels that it began with.

    The path is noted as `kernel_path` in the run file; on other devices than the CPU it is `torch`.

    Raises:
        RunError: it began with compiled kernels, which cannot be compiled here.
    """
    use_threads(run.record["threads"])
    before = run.record.get("kernel_path")
    on_cpu = str(run.record.get("device", "cpu")) == "cpu"
    try:
        found = use_kernels(before if on_cpu else "torch", talk.say)
    except SettingsError as why:
        if before is None:
            raise
        raise RunError(
            f"{run.path}: began with compiled kernels, which cannot be compiled here ({why.problems[0]}); "
            "install a C++ compiler (g++), or start the run anew"
        ) from why
    if before != found:
        run.save(kernel_path=found)
