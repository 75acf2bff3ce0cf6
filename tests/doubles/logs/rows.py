"""Logs of five readings, and the watts that are read from them."""

T = "2026-11-29T12:00:0{}Z"
WATTS = (480.2, 479.1, 481.6, 480.9, 478.8)


def rows(template, head="", scale=1.0, values=WATTS):
    return head + "".join(
        template.format(t=T.format(i), i=i, p=f"{w * scale:.10g}", c=f"{w * scale:.10g}".replace(".", ",")) + "\n"
        for i, w in enumerate(values)
    )


def watts(log):
    return [power for _, power in log.samples]
