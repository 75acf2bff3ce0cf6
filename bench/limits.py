"""The numeric limits of the measuring method, ordered by the rules of docs/method.md.

A change here moves which results are valid: note it under "Method" in CHANGELOG.md.
"""

# Rule 1: the runner's own share of a window
RUNNER_OVERHEAD_FRAC = 0.005  # [-] above this `runner_overhead` warns

# Rule 2: length of a window
PERIODS_PER_WINDOW = 100  # update periods of a meter in the shortest window
SAMPLE_SD_FRAC = 0.05  # [-] assumed scatter of single power samples around their mean

# Rule 3: load around the windows
LEAD_FLOOR_S = 2.0  # [s] shortest load before the first metered window
LEAD_AVERAGING_TIMES = 3.0  # the load before also lasts this many averaging times of the meter
LONGEST_AVERAGING_S = 60.0  # [s] a longer time that a device prints is that of its statistics, not of its power
LOG_JOIN_WINDOW_S = 10.0  # [s] unmetered windows at least this long keep the load on around them for a log joined later

# Rule 4: sampling, clocks and durations
MIN_SAMPLES = 50  # distinct samples in a window
MAX_GAP_PERIODS, MAX_GAP_FLOOR_S = 3.0, 0.5  # longest gap between samples: the larger of the two [periods], [s]
FROZEN_PERIODS = 10.0  # a sample held for longer than this many periods is a frozen meter
SLOWEST_PERIOD_S = 5.0  # [s] a meter with a longer update period gives no energy
CLOCK_STEP_S = 0.5  # [s] a larger jump of the wall clock counts as a step
DURATION_ERROR_S, DURATION_ERROR_FRAC = 0.5, 0.01  # largest error of a reported duration: the larger of the two
CLOCK_RATE_FRAC = 500e-6  # [-] by which the clocks of two machines may run apart: NTP slews a clock by up to 500 ppm
CLOCK_WANDER_FRAC = 100e-6  # [-] of the time to the nearer look at two clocks, by which their drift may not be even
MALFORMED_LINES_FRAC = 0.05  # [-] share of unreadable lines above which a log is refused

# Rule 5: two measurements of the same energy
METER_DISAGREEMENT_FRAC = 0.05  # [-]

# Rule 8: ASIC miners
VERIFIED_SHARES = 1000  # valid shares that a rate needs to be verified by shares
SHARES_DRIFT_P = 0.001  # [-] probability of a drift, spread or gap of the shares below which a run is unsteady
REFUSED_SHARES_FRAC = 0.02  # [-] share of refused shares above which they are reported
DISCONNECTED_S = 0.5  # [s] time without a connection above which it is reported
MOST_SHARES_S = 100.0  # [1/s] rate of shares above which a difficulty is refused
ABOVE_EXPECTED = 1.5  # [-] verified rate over the expected one above which one machine is doubted
SHARES_KEPT = 1_000_000  # shares that the work server keeps, the newest: about 45 MB
LONGEST_MEASUREMENT_S = 1e6  # [s] of all windows of a miner: 11 days
SETTLE_S = 2700.0  # [s] longest wait until a miner has settled
PLUG_W = 3680.0  # [W] 16 A at 230 V: more than that is too much for a smart plug

# Rule 9: idle power
IDLE_PERIODS = 60.0  # update periods of a meter in the shortest idle measurement
IDLE_DRIFT_FRAC = 0.05  # [-] change of idle power from before to after

# Rule 10: steadiness
RATE_HALVES_FRAC = 0.01  # [-] change of the rate from the first to the second half
POWER_HALVES_FRAC = 0.02  # [-] the same of the power
SLOPE_PER_MIN = 0.01  # [1/min] relative slope that the 95 % interval must reach into
CORE_CLOCK_DROP_FRAC = 0.03  # [-] drop of a window's core clock below the median

# Rule 11: throttling
LOW_GPU_CLOCK_FRAC = 0.75  # [-] mean SM clock over the default clock

QUOTA_THROTTLED_FRAC = 0.01  # [-] of the time that a CPU quota allows, above which its throttling is reported

# Rule 12: repeats
SPREAD_NOTED_FRAC = 0.01  # [-] relative standard deviation of the windows above which it is noted
SPREAD_UNSTABLE_FRAC = 0.02  # [-] above which the windows count as unstable

# Rule 13: uncertainty
CONFIDENCE = 0.95  # [-] of every interval
UNSTATED_ACCURACY_FRAC = {"A": 0.01, "B": 0.02, "C": 0.05, "D": 0.10}  # [-] by tier, for a meter that states none

# Rule 14: verdicts
SAME_FRAC = 0.02  # [-] two results are the same if the interval of their ratio lies within 1 ± this

# Rule 16: other programs, and other virtual machines
FOREIGN_LOAD_FRAC = 0.05  # [-] share of the cores

# Rule 21: endpoints
FAILED_REQUESTS_FRAC = 0.01  # [-] share of failed, or of too short, requests above which it is reported
REQUESTS_PER_SLOT = 5  # requests that each slot ends in the windows, at least
PREFIX_CACHED_FRAC = 0.01  # [-] share of the prompt tokens from the server's cache
ONE_TOKEN_CHUNKS = 1.05  # tokens per chunk up to which the gaps between chunks are gaps between tokens
PROMPT_LENGTH_FRAC, PROMPT_LENGTH_TOKENS = 0.05, 3.0  # mean prompt off its length: the larger of [-] and [token]
TOKEN_MISMATCH_FRAC = 0.01  # [-] between the server's count of tokens and ours
EDGE_FRAC = 0.05  # [-] of an imported run's time by which its edges may be uncertain, for a meter's log to be joined
COUNTER_EDGE_S = 0.1  # [s] by which a reading of the server's counters may be off
RUNNING_FRAC = 0.95  # [-] of the concurrency that the server must work on
WAITING_FRAC = 0.02  # [-] of the concurrency that may wait in the server's queue
READINGS_FOR_RUNNING = 3
STAMP_S = 0.001  # [s] by which the stamp of a read may be late while the client keeps up
CLIENT_CEILING_FRAC = 0.50  # [-] of what the client takes from a null server, above which its stamps queue
CLIENT_CPU_FRAC = 0.80  # [-] of the time for which a process of the client may be busy or wait for a core
CLIENT_LAG_FRAC, CLIENT_LAG_S = 0.05, 0.02  # largest delay of the client: the larger of this share of a TPOT and [s]
UNSERVED_FRAC = 0.05  # [-] of the requests of an open loop by which those under way may grow
SCHEDULE_LAG_S = 0.01  # [s] by which one request in 100 of an open loop may be late

# Rule 22: plausible or refused
FIRST_READINGS = 3  # first readings: at least one must be plausible, or the meter is refused
PRODUCT_FRAC = 0.10  # [-] difference allowed between power and volts times amps times power factor
SMALL_POWER_W = 25.0  # [W] below this, plugs state volts, amps and power factor too coarsely for a check
LEAST_POWER_FACTOR = 0.02  # [-] less is no computer's
USUAL_POWER_FACTOR = 0.5  # [-] of a computer under load, at least
DECADE_FRAC = 0.02  # [-] a ratio this close to 10, 100 or 1000 is named as such a factor
LEAST_READING_W = 1e-6  # [W] less is a register that was read as another type
NEGATIVE_PHASE_W = 2.0  # [W] less than minus this is a wrong direction, not the noise of a sensor

# Comparison of two workloads on one CPU
QUIET_PAIRS = 50  # pairs of quiet slices that a verdict needs
SLICE_CLOCK_FRAC = 0.03  # [-] change of the core clock across a slice
LONE_CORE_CYCLES = 1.35  # cycles per five additions on a core without a busy neighbour (Golden Cove 1.22, Zen 4 1.28)

# Tests of pytest-benchmark
IDLE_BETWEEN_ROUNDS_FRAC = 0.01  # [-] time between measured rounds over their span

# What a stored record may hold; more or less is a damaged or a made-up one
RECORD_DEPTH = 24  # levels of tables and lists
LARGEST_WHOLE = 2**63 - 1
LONGEST_WINDOW_S = 1e8  # [s] three years
LEAST_WORK, MOST_WORK = 1e-12, 1e30  # in the unit of the workload
LEAST_POWER_W, MOST_POWER_W = 1e-3, 1e9  # [W]
RECOMPUTED_FRAC = 1e-6  # [-] difference allowed between a figure and the mean of its windows

# What would run for hours
MOST_CLIENTS = 20_000  # of a predicted inference server: every request of each is stepped through
MOST_SCENARIOS = 1_000_000
