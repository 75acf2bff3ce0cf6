"""Programs named `ipmi-dcmi` and `ipmitool` on the PATH, which print what a device draws."""


class IpmiPeer:
    """Writes the figures into a file that the programs read."""

    target = ""

    def __init__(self, device, folder, program="ipmi-dcmi", averaging_s=1):
        self.device, self.folder = device, folder
        folder.mkdir()
        self._figures = folder / "figures"
        script = folder / program
        script.write_text(_SCRIPT.format(figures=self._figures, program=program, averaging_s=averaging_s))
        script.chmod(0o755)
        self.update()

    def update(self):
        """Write the present figures."""
        figures = self.device.figures()
        watts = 0 if self.device.mode in {"sentinel", "zero"} else round(figures["power"])
        self._figures.write_text(f"{self.device.mode} {watts} {figures['time']:.3f}\n")

    def close(self):
        """Take the programs away."""
        for script in self.folder.glob("ipmi*"):
            script.unlink()


_SCRIPT = r"""#!/bin/sh
read mode watts stamp < {figures}
case $mode in
  refusing) echo "{program}: BMC busy (a double of the tests)" >&2; exit 1 ;;
  silent) exec sleep 600 ;;
  sentinel) state="Not Available"; other=deactivated ;;
  *) state=Active; other=activated ;;
esac
if [ {program} = ipmi-dcmi ]; then
  printf 'Current Power                        : %s Watts\n' "$watts"
  printf 'Average Power over sampling duration : %s watts\n' "$watts"
  printf 'Time Stamp                           : %s\n' "$stamp"
  printf 'Statistics reporting time period     : {averaging_s}000 milliseconds\n'
  printf 'Power Measurement                    : %s\n' "$state"
else
  printf '    Instantaneous power reading:                   %s Watts\n' "$watts"
  printf '    Average power reading over sample period:      %s Watts\n' "$watts"
  printf '    IPMI timestamp:                           %s\n' "$stamp"
  printf '    Sampling period:                          %08d Seconds.\n' {averaging_s}
  printf '    Power reading state is:                   %s\n' "$other"
fi
"""
