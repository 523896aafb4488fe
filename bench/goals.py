"""The goals of speed, what was measured against each, and what bounds those that were not reached.

The machine can put a goal out of reach. Where a row of ours has a limit, "at the limit" is what a
program that ran at it would have measured.
"""

from dataclasses import dataclass

from runs import CARTPOLE, PENDULUM

from pgfast.benchmark.rows import TITLES, Row, duration, grouped, slower

STEP = "CartPole-v1 step, N=4096 float32"
LINEAR = "collect, CartPole-v1, linear softmax, N=1024 T=128 float32"
MLP = "collect, CartPole-v1, 64x64 softmax, N=1024 T=128 float32"
SCORE = "score, linear softmax, B=65536 D=64 A=8 float32"
FISHER = "Fisher solve, 10 CG steps, linear softmax, B=65536 D=64 A=8 float32"
MINIBATCH = "PPO minibatches, 32 of B=256, two 64x64 tanh networks, float32"
EPOCH = "one epoch of minibatches of 256, 64x64, B=20000 D=8 float32"
GAE = "gae, T=128 N=4096 float32"
SOLVED = "CartPole-v1 until solved, {}"

Groups = dict[str, list[Row]]


def row_of(groups: Groups, group: str, member: str, threads: int = 1) -> Row | None:
    """A member's row in a group, if it was measured."""
    rows = groups.get(group, [])
    return next((r for r in rows if (r.member, r.threads) == (member, threads)), None)


@dataclass(frozen=True)
class Measured:
    """What a goal's line says of it."""

    measured: str
    reached: bool
    at_limit: str = ""


@dataclass(frozen=True)
class Beside:
    """One of ours at least so many times as fast as a member, which may be another group's."""

    group: str
    member: str
    times: float
    bound: str
    mine: str = "pgfast"
    threads: int = 1
    of: str | None = None

    @property
    def what(self) -> str:
        """The goal."""
        threads = f", {self.threads} threads" if self.threads > 1 else ""
        of = f" at {self.of}" if self.of else ""
        return f"{self.times:.3g} × {TITLES[self.member]}{of}{threads}"

    def measured(self, groups: Groups) -> Measured | None:
        """Nothing where one of the two was not measured."""
        mine = row_of(groups, self.group, self.mine, self.threads)
        theirs = row_of(groups, self.of or self.group, self.member, self.threads)
        if mine is None or theirs is None:
            return None
        ratio = slower(theirs, mine)
        at_limit = "" if mine.share is None else f"{ratio / mine.share:.3g} ×"
        return Measured(f"{ratio:.3g} ×", ratio >= self.times, at_limit)


@dataclass(frozen=True)
class Share:
    """At least such a part of the machine's limit."""

    group: str
    part: float
    bound: str
    mine: str = "pgfast"

    @property
    def what(self) -> str:
        """The goal."""
        return f"{100 * self.part:.0f} % of the limit"

    def measured(self, groups: Groups) -> Measured | None:
        """See Beside."""
        mine = row_of(groups, self.group, self.mine)
        if mine is None or mine.share is None:
            return None
        return Measured(
            f"{100 * mine.share:.0f} % of {mine.limited_by}", mine.share >= self.part, "100 %"
        )


@dataclass(frozen=True)
class Threads:
    """Two threads at least so many times as fast as one."""

    group: str
    bound: str
    times: float = 1.8

    @property
    def what(self) -> str:
        """The goal."""
        return f"two threads {self.times:.3g} × one"

    def measured(self, groups: Groups) -> Measured | None:
        """See Beside."""
        one, two = row_of(groups, self.group, "pgfast"), row_of(groups, self.group, "pgfast", 2)
        if one is None or two is None:
            return None
        ratio = slower(one, two)
        limited = one.limit is not None and two.limit is not None
        at_limit = f"{one.limit / two.limit:.3g} ×" if limited else ""
        return Measured(f"{ratio:.3g} ×", ratio >= self.times, at_limit)


@dataclass(frozen=True)
class Within:
    """In so many seconds at most."""

    group: str
    seconds: float
    bound: str

    @property
    def what(self) -> str:
        """The goal."""
        return f"{duration(self.seconds)} at most"

    def measured(self, groups: Groups) -> Measured | None:
        """See Beside."""
        mine = row_of(groups, self.group, "pgfast")
        if mine is None:
            return None
        seconds = mine.timing.median
        return Measured(duration(seconds), seconds <= self.seconds)


RESETS = (
    "episodes: the limit reads no actions, counts no steps, writes no rows and makes no resets, "
    "and its states stay in the first-level cache; with random actions one lane of 22 ends its "
    "episode in a step. The call from Python is a fifth"
)
ARITHMETIC = "the environment's own arithmetic"
SAME_UNITS = "tanh, the distribution and the rest need the same units as the products"
BESIDE_PRODUCTS = "beside the products activations, Adam, and the steps of few environments"
STREAMS = (
    "five streams from the last cache, backwards in time; other sizes of blocks and prefetching "
    "gained nothing"
)
NARROW = (
    "on the way forward half as many shuffles and additions as multiply-adds, which sum the lanes; "
    "on the way back a gradient that is turned for every 32 samples; the softmax; and {} from "
    "memory, asked for a tile ahead"
)
ONCE, EACH_STEP = NARROW.format("every sample once"), NARROW.format("every sample in every step")
ONE_BLOCK = "4 environments are one block, which one thread steps"
WAITS = (
    "a minibatch is two blocks of each network; threads wait for each other once in it, and where "
    "one of them is slowed down for a while, so are both"
)
TWO_BLOCKS = (
    "a minibatch of the value function is two blocks of 17 µs alone, 18.5 beside each other; the "
    "start, Adam's step, the sum and the end take 2 µs"
)
SHARED = "as far as not the machine itself, unexplained: nothing between the blocks is serial"
CHECKS = "updates, and the checks that it is solved"

GOALS: list[Beside | Share | Threads | Within] = [
    Beside(STEP, "gymnasium", 18, RESETS, mine="core"),
    Share(STEP, 1 / 1.2, RESETS, mine="core"),
    *(
        Beside(f"{name} step, N=4096 float32", "core", part, ARITHMETIC, mine="core", of=STEP)
        for name, part in (
            ("Pendulum-v1", 0.5),
            ("MountainCar-v0", 0.5),
            ("MountainCarContinuous-v0", 0.5),
            ("Acrobot-v1", 20 / 300),
        )
    ),
    Beside(LINEAR, "gymnasium", 4, "sampling, and the step", of=STEP),
    Share(MLP, 0.75, SAME_UNITS),
    Beside(GAE, "jax", 3, STREAMS),
    Beside(GAE, "numba", 3, STREAMS),
    Beside(GAE, "reference", 20, STREAMS),
    Beside(SCORE, "numpy", 5, ONCE),
    Beside(SCORE, "jax", 4, ONCE),
    Beside(SCORE, "torch", 15, ONCE),
    Beside(FISHER, "scipy", 6, EACH_STEP),
    Share(MINIBATCH, 0.8, SAME_UNITS),
    Beside(MINIBATCH, "torch", 10, SAME_UNITS),
    *(
        Beside(PENDULUM.format(activation), "rltools", 1 / time, bound, threads=threads)
        for threads, time, bound in ((1, 0.75, BESIDE_PRODUCTS), (2, 0.42, ONE_BLOCK))
        for activation in ("relu", "tanh")
    ),
    Beside(CARTPOLE, "stable-baselines3", 12, BESIDE_PRODUCTS),
    Within(SOLVED.format("npg"), 5e-3, CHECKS),
    Within(SOLVED.format("ppo"), 0.15, CHECKS),
    Threads(LINEAR, SHARED),
    Threads(MLP, SHARED),
    Threads(MINIBATCH, WAITS),
    Threads(EPOCH, TWO_BLOCKS),
    Threads(SCORE, SHARED),
    Threads(FISHER, SHARED),
]


def goals_section(rows: list[Row]) -> list[str]:
    """A line for every goal; what bounds it, where it was measured and not reached."""
    groups = grouped(rows)
    lines = [
        "## Goals",
        "",
        "At the limit: what a program that ran at the machine's limit would have measured. Bounded "
        "by: how we read profiles of other runs; it was not measured here.",
        "",
        "| work | goal | measured | at the limit | reached | bounded by |",
        "|---|---|---|---|---|---|",
    ]
    for goal in GOALS:
        found = goal.measured(groups)
        if found is None:
            cells = ["not measured", "", "", ""]
        elif found.reached:
            cells = [found.measured, found.at_limit, "yes", ""]
        else:
            cells = [found.measured, found.at_limit, "no", goal.bound]
        lines.append("| " + " | ".join([goal.group, goal.what, *cells]) + " |")
    return [*lines, ""]
