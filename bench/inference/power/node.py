"""The watts of a server from those of its GPUs."""

from bench.inference.power.gpu import power_table


def node_watts(gpu_w: float) -> float:
    """Return the input power of a server over its GPUs [W].

    Parameters
    ----------
    gpu_w
        Mean power of one of its GPUs [W].

    Notes
    -----
    Fans, processors, memory and network draw the same at every load, and the power supplies lose a share. The watts of
    the fans rise with the load in fact, so that those of a lightly loaded server are stated too high.
    """
    node = power_table("node")
    other_w = node["other_w"]["value"] / node["gpus"]["value"]
    return float((gpu_w + other_w) / node["supply_frac"]["value"])


def node_rms_ln() -> float:
    """Return the root mean square of ln(predicted/published) of nodes whose watts were published."""
    return float(power_table("node")["rms_ln"])
