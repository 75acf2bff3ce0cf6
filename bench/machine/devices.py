"""The device under test: its name and its settings, which are read but never changed."""

from bench.machine import cgroups, environment
from bench.results.record import Device
from hardware_profiles.errors import InputError


def device_under_test(name: str) -> Device:
    """Return the description of `cpu` or `gpu:<index>`.

    Raises
    ------
    InputError
        The name is neither, or the GPU cannot be used; the message has the cause and the cure.
    """
    kind, _, index = name.partition(":")
    if kind == "cpu" and not index:
        cpu, frequency, quota = environment.cpu(), environment.frequency(), cgroups.quota()
        return Device(
            kind="cpu",
            name=str(cpu["model"] or "unknown CPU"),
            settings={
                "governor": _text(frequency["governor"]),
                "turbo": _text(frequency["turbo"]),
                "smt": _text(cpu["smt"]),
                "usable_cores": len(environment.usable_cores()),
                "quota_cores": None if quota is None else quota.cores,
            },
        )
    if kind == "gpu":
        return _gpu(name)
    raise InputError.at("--device", expected="cpu or gpu:<index>, as in gpu:0", got=name)


def _gpu(name: str) -> Device:
    """Return an NVIDIA GPU that a run can use now; an obstacle is an InputError with its cure."""
    from kernels.errors import KernelInputError
    from kernels.gpu.device import GpuError, check_usable, inspect, parse_device

    try:
        state = inspect(parse_device(name))
        check_usable(state)
    except KernelInputError as error:
        raise InputError(f"--{error}") from None
    except GpuError as error:
        raise InputError(f"--device {name}: {error}") from None
    return Device(
        kind="gpu",
        name=state.name,
        settings={
            "index": state.index,
            "uuid": state.uuid,
            "architecture": state.architecture,
            "memory_bytes": state.memory_bytes,
            "max_sm_clock_hz": state.max_sm_clock_hz,
            "power_limit_w": state.power_limit_w,
            "ecc": state.ecc,
            "mig": state.mig,
            "persistence": state.persistence,
            "driver": state.driver,
            "cuda_driver": ".".join(map(str, state.cuda_driver)),
        },
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)
