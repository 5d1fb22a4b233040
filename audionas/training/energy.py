"""Energy counters, where the machine tells them: RAPL of the processor (Linux), NVML of a GPU.

Both count the whole package or card, whoever used it: on a shared machine the energy of others is in it.
"""

from __future__ import annotations

from pathlib import Path

POWERCAP = Path("/sys/class/powercap")


class EnergyCounter:
    """Joules spent between two reads; None where nothing can be read."""

    def __init__(self, device: str, powercap: Path = POWERCAP) -> None:
        self._gpu = _gpu_handle(device)
        self._packages = [] if device != "cpu" else sorted(powercap.glob("intel-rapl:[0-9]"))
        self._last = self._read()

    def spent(self) -> float | None:
        """Joules since the last call (or since the start); a counter that ran over its range is put right."""
        now, last = self._read(), self._last
        self._last = now
        if now is None or last is None:
            return None
        return sum(after - before if after >= before else after + most - before for (after, most), (before, _) in
                   zip(now, last, strict=True))  # fmt: skip

    def _read(self) -> list[tuple[float, float]] | None:
        """Joules and range of every counter; None if one cannot be read (RAPL needs rights on many systems)."""
        if self._gpu is not None:
            return [(_gpu_joules(self._gpu), float("inf"))]
        try:
            found = [
                tuple(int((package / name).read_text()) / 1e6 for name in ("energy_uj", "max_energy_range_uj"))
                for package in self._packages
            ]
        except (OSError, ValueError):
            return None
        return [(joules, most) for joules, most in found] or None


def _gpu_handle(device: str) -> object | None:
    if not device.startswith("cuda"):
        return None
    try:
        import pynvml

        pynvml.nvmlInit()
        handle: object = pynvml.nvmlDeviceGetHandleByIndex(int(device[5:] or 0))
        _gpu_joules(handle)
    except Exception:  # noqa: BLE001  no library, no driver, no right, no counter: energy is then not known
        return None
    return handle


def _gpu_joules(handle: object) -> float:
    import pynvml

    return float(pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)) / 1e3
