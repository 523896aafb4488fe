"""The goals of speed, what was measured against each, and what bounds those that were not reached.

The machine can put a goal out of reach. Where a row of ours has a limit, "at the limit" is what a
program that ran at it would have measured.
"""

from dataclasses import dataclass

from pgfast.benchmark.rows import Row, duration, grouped, ours, slower

STEP = "CartPole-v1 step, N=4096 float32"
LINEAR = "collect, CartPole-v1, linear softmax, N=1024 T=128 float32"
MLP = "collect, CartPole-v1, 64x64 softmax, N=1024 T=128 float32"
SCORE = "score, linear softmax, B=65536 D=64 A=8 float32"
FISHER = "Fisher solve, 10 CG steps, linear softmax, B=65536 D=64 A=8 float32"
MINIBATCH = "PPO minibatch, B=256, two 64x64 tanh networks, float32"
GAE = "gae, T=128 N=4096 float32"
PENDULUM = "PPO on Pendulum-v1, 303,104 steps, 4 x 1024, 2 epochs, B=256, two 64x64 {} networks"
SETTINGS = "PPO on CartPole-v1, 99,840 steps, 8 x 32, 20 epochs, B=256, two 64x64 tanh networks"
SOLVED = "CartPole-v1 until solved, {}"


@dataclass(frozen=True)
class Beside:
    """pgfast at least so many times as fast as a member; of another group where one is named."""

    group: str
    member: str
    times: float
    threads: int = 1
    of: str | None = None
    bound: str = ""

    def line(self, groups: dict[str, list[Row]]) -> tuple[str, float, float, float | None] | None:
        """What, asked, measured and at the limit; nothing where one of the two was not measured."""
        mine = ours(groups.get(self.group, []), self.threads)
        rows = groups.get(self.of or self.group, [])
        theirs = [r for r in rows if r.member == self.member and r.threads == self.threads]
        if mine is None or not theirs:
            return None
        ratio = slower(theirs[0], mine)
        at_limit = None if mine.share is None or self.of else ratio / mine.share
        of = f", at {self.of}" if self.of else ""
        return f"times as fast as {theirs[0].title}{of}", self.times, ratio, at_limit


@dataclass(frozen=True)
class Share:
    """At least such a part of the machine's limit."""

    group: str
    part: float
    member: str = "pgfast"
    bound: str = ""

    def line(self, groups: dict[str, list[Row]]) -> tuple[str, float, float, float | None] | None:
        """See Beside."""
        rows = groups.get(self.group, [])
        mine = next((r for r in rows if (r.member, r.threads) == (self.member, 1)), None)
        if mine is None or mine.share is None:
            return None
        whose = "" if self.member == "pgfast" else f" by {mine.title}"
        return f"of the limit, {mine.limited_by}{whose}", self.part, mine.share, 1.0


@dataclass(frozen=True)
class Threads:
    """Two threads at least so many times as fast as one."""

    group: str
    times: float = 1.8
    bound: str = ""

    def line(self, groups: dict[str, list[Row]]) -> tuple[str, float, float, float | None] | None:
        """See Beside."""
        rows = groups.get(self.group, [])
        one, two = ours(rows), ours(rows, 2)
        if one is None or two is None:
            return None
        return "two threads, times as fast as one", self.times, slower(one, two), 2.0


@dataclass(frozen=True)
class Within:
    """In so many seconds at most: `seconds` over the measured time."""

    group: str
    seconds: float
    bound: str = ""

    def line(self, groups: dict[str, list[Row]]) -> tuple[str, float, float, float | None] | None:
        """See Beside."""
        mine = ours(groups.get(self.group, []))
        if mine is None:
            return None
        took = mine.timing.median
        return f"{duration(self.seconds)}, over the time", 1.0, self.seconds / took, None


SAME_UNITS = "tanh, the distribution and the rest need the same units as the products"
NARROW = (
    "products of 8 columns load nine numbers for eight multiply-adds; then the softmax, and every "
    "sample comes from memory once"
)

GOALS: list[Beside | Share | Threads | Within] = [
    Beside(STEP, "gymnasium", 18),
    Share(
        STEP,
        1 / 1.2,
        bound="the limit reads no actions, counts no steps, writes no rows and makes no resets; "
        "with random actions one lane of 22 ends its episode in a step",
    ),
    Beside("Pendulum-v1 step, N=4096 float32", "pgfast", 0.5, of=STEP),
    Beside("MountainCar-v0 step, N=4096 float32", "pgfast", 0.5, of=STEP),
    Beside("MountainCarContinuous-v0 step, N=4096 float32", "pgfast", 0.5, of=STEP),
    Beside("Acrobot-v1 step, N=4096 float32", "pgfast", 20 / 300, of=STEP),
    Beside(LINEAR, "gymnasium", 4, of=STEP),
    Share(MLP, 0.75, bound=SAME_UNITS),
    Beside(GAE, "jax", 3, bound="memory: rewards, values and flags are read, advantages written"),
    Beside(GAE, "numba", 3),
    Beside(GAE, "reference", 20),
    Beside(SCORE, "numpy", 5, bound=NARROW),
    Beside(SCORE, "jax", 4, bound=NARROW),
    Beside(SCORE, "torch", 15, bound=NARROW),
    Beside(FISHER, "scipy", 6, bound=NARROW),
    Share(MINIBATCH, 0.8, bound=SAME_UNITS),
    Beside(MINIBATCH, "torch", 10, bound=SAME_UNITS),
    Beside(PENDULUM.format("relu"), "rltools", 1 / 0.75),
    Beside(PENDULUM.format("tanh"), "rltools", 1 / 0.75, bound=SAME_UNITS),
    *(
        Beside(
            PENDULUM.format(activation),
            "rltools",
            1 / 0.42,
            threads=2,
            bound="4 environments are one block, which one thread steps",
        )
        for activation in ("relu", "tanh")
    ),
    Beside(SETTINGS, "stable-baselines3", 12),
    Within(SOLVED.format("npg"), 5e-3),
    Within(SOLVED.format("ppo"), 0.15),
    Threads(LINEAR),
    Threads(MLP),
    Threads(
        MINIBATCH, bound="a minibatch is two blocks, between which threads wait for each other"
    ),
    Threads("one epoch of minibatches of 256, 64x64, B=20000 D=8 float32"),
    Threads(SCORE),
    Threads(FISHER),
]


def goals_section(rows: list[Row]) -> list[str]:
    """A line for every goal that was measured."""
    groups = grouped(rows)
    lines = []
    for goal in GOALS:
        found = goal.line(groups)
        if found is None:
            continue
        what, asked, measured, at_limit = found
        reached = "yes" if measured >= asked else "no"
        most = "" if at_limit is None else f"{at_limit:.3g}"
        why = "" if measured >= asked else goal.bound
        cells = [goal.group, what, f"{asked:.3g}", f"{measured:.3g}", reached, most, why]
        lines.append("| " + " | ".join(cells) + " |")
    if not lines:
        return []
    return [
        "## Goals",
        "",
        "At the limit: what a program that ran at the machine's limit would have measured.",
        "",
        "| work | goal | asked | measured | reached | at the limit | bounded by |",
        "|---|---|---|---|---|---|---|",
        *lines,
        "",
    ]
