"""The check of the locked versions for known vulnerabilities, which is skipped where no advisories can be reached."""

import json
import subprocess
import sys

LOCKED = "constraints.txt"
AUDIT = [sys.executable, "-m", "pip_audit", "--requirement", LOCKED, "--no-deps", "--disable-pip"]
OPTIONS = ["--format", "json", "--timeout", "5", "--progress-spinner", "off"]
LIMIT_S = 300.0


def verdict(report: str, error: str) -> tuple[str, int]:
    """Return the lines to print and the exit status for what pip-audit wrote to stdout and stderr."""
    try:
        packages = json.loads(report)["dependencies"]
    except (ValueError, KeyError, TypeError):
        reason = error.strip().rpartition("\n")[2] or "no answer"
        return f"pip-audit: skipped, the advisories cannot be read: {reason}", 0
    known = [package for package in packages if "skip_reason" not in package]
    if not known:
        return "pip-audit: skipped, the package index that is reached knows no advisories", 0
    faults = [
        f"{package['name']} {package['version']}: {fault['id']}, fixed in {', '.join(fault['fix_versions']) or 'none'}"
        for package in known
        for fault in package["vulns"]
    ]
    summary = f"pip-audit: {len(known)} of {len(packages)} locked versions checked, {len(faults)} known vulnerabilities"
    return "\n".join([*faults, summary]), min(len(faults), 1)


def main() -> None:
    """Run pip-audit over the locked versions, print its verdict and exit."""
    try:
        done = subprocess.run([*AUDIT, *OPTIONS], capture_output=True, text=True, check=False, timeout=LIMIT_S)  # noqa: S603
    except subprocess.TimeoutExpired:
        text, status = verdict("", f"no answer within {LIMIT_S:g} s")
    else:
        text, status = verdict(done.stdout, done.stderr)
    print(text)  # noqa: T201
    sys.exit(status)


if __name__ == "__main__":
    main()
