"""The merit order of every hour in plain NumPy, against which the compiled filling of an hour is checked."""

import numpy as np


def fill(caps, worth, limit, idle, *, hours=None, contract_mw=0.0):
    """Draw of each part at the meter [MW], shape [parts, T], in the order of worth up to the limit.

    Parameters
    ----------
    caps, worth
        Power that each part can use [MW meter] and its worth [USD/MWh meter], shape [parts, T].
    limit, idle
        Power that may be drawn, and what idle parts want before the others [MW meter], shape [T].
    hours
        columns.Hours with the prices of power, above which a part draws; without it a part draws up to the limit.
    contract_mw
        Contracted power [MW meter], worth its resale price.
    """
    drawn = np.zeros_like(caps)
    t = np.arange(limit.size)
    at = np.minimum(idle, limit)
    for rank in np.argsort(-worth, axis=0, kind="stable"):
        part = np.minimum(caps[rank, t], np.maximum(limit - at, 0.0))
        if hours is not None:
            given_up = hours.adder_usd_per_mwh + hours.forgone_usd_per_mwh
            own = worth[rank, t]
            inside = np.maximum(contract_mw - at, 0.0)
            resale = np.maximum(hours.resale_usd_per_mwh, 0.0)
            near = np.minimum(hours.spot_usd_per_mwh, resale) + given_up
            within = np.where(own > near, np.minimum(part, inside), 0.0)
            beyond = np.where(own > hours.spot_usd_per_mwh + given_up, np.maximum(part - inside, 0.0), 0.0)
            part = within + beyond
        drawn[rank, t] = part
        at = at + part
    return drawn
