"""Programs named `ipmi-dcmi` and `ipmitool` on the PATH, which print what a device draws: the output says it is a double."""

import sys
import textwrap


class IpmiPeer:
    """Writes the figures into a file that the programs read."""

    target, settings = "", ""

    def __init__(self, device, folder, program="ipmi-dcmi"):
        self.device, self.folder = device, folder
        folder.mkdir()
        self._figures = folder / "figures"
        script = folder / program
        script.write_text(f"#!{sys.executable}\n" + textwrap.dedent(_SCRIPT.format(figures=str(self._figures), program=program)))
        script.chmod(0o755)
        self.update()

    def update(self):
        """Write the present figures."""
        figures = self.device.figures()
        watts = 0 if self.device.mode in {"sentinel", "zero"} else round(figures["power"])
        self._figures.write_text(f"{self.device.mode} {watts} {figures['time']}")

    def close(self):
        """Take the programs away."""
        for script in self.folder.glob("ipmi*"):
            script.unlink()


_SCRIPT = """
    import sys, time
    mode, watts, seconds = open({figures!r}).read().split()
    if mode == "refusing":
        sys.exit("{program}: BMC busy (a double of the tests)")
    if mode == "silent":
        time.sleep(600)
    active = "sentinel" not in mode
    stamp = time.strftime("%m/%d/%Y - %H:%M:%S", time.gmtime(float(seconds)))
    if {program!r} == "ipmi-dcmi":
        print(f"Current Power                        : {{watts}} Watts")
        print(f"Average Power over sampling duration : {{watts}} watts")
        print(f"Time Stamp                           : {{stamp}}")
        print("Statistics reporting time period     : 1000 milliseconds")
        print("Power Measurement                    : " + ("Active" if active else "Not Available"))
    else:
        print(f"    Instantaneous power reading:                   {{watts}} Watts")
        print(f"    Average power reading over sample period:      {{watts}} Watts")
        print(f"    IPMI timestamp:                           {{stamp}}")
        print("    Sampling period:                          00000001 Seconds.")
        print("    Power reading state is:                   " + ("activated" if active else "deactivated"))
"""
