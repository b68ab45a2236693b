"""How long a call takes by its tokens: a base, and so much for a token of each kind, learnt as calls go by. Pure.

The factors are those of least squares in relative error, none below zero. With few calls, or with calls that are all
alike, a share for each kind that is usual of language models counts as some calls. What is learnt fades day by day.

Limit: a line. Past what was seen it goes on straight, and `stretch` says how far past that is.
"""

import math
from collections.abc import Sequence
from typing import Final

import msgspec

KINDS: Final = 4
"""A call itself, its fresh input, its cached input, and what it puts out; tokens in thousands."""

Amounts = tuple[float, float, float, float]
"""One call's, by KINDS; the first is 1."""

SHARES_OF_TTFT: Final = (0.6, 0.3, 0.05, 0.05)
SHARES_OF_DURATION: Final = (0.2, 0.1, 0.0, 0.7)

_PRIOR_CALLS: Final = 5.0
_FIRST_FIT_CALLS: Final = 10.0
_ALL_LEARNT_CALLS: Final = 150.0
_THEN_EACH: Final = 4
_DAY_MINUTES: Final = 24 * 60
_KEPT_A_DAY: Final = 0.8
_SWEEPS: Final = 60
_FAR: Final = 3.0


class TokenRelation(msgspec.Struct, array_like=True):
    """One relation. factors: ms by KINDS; empty until there were some calls."""

    factors: list[float] = []
    limits: list[float] = []
    """Amounts within which it is well known, by KINDS; infinite for what has not been seen."""
    calls: float = 0.0
    rows: int = 0
    products: list[float] = msgspec.field(default_factory=lambda: [0.0] * (KINDS * KINDS))
    targets: list[float] = msgspec.field(default_factory=lambda: [0.0] * KINDS)
    fitted_calls: float = 0.0
    fitted_minute: int = 0
    squares: list[float] = msgspec.field(default_factory=lambda: [0.0] * KINDS)
    """Of the amounts of `learnt` calls, each call for one: what was seen often, whether it takes long or not."""
    learnt: float = 0.0

    def expected_ms(self, amounts: Amounts) -> float:
        """What a call with so many tokens takes. The relation has been fitted."""
        base, fresh, cached, output = self.factors
        return base + fresh * amounts[1] + cached * amounts[2] + output * amounts[3]

    def stretch(self, amounts: Amounts) -> float:
        """The natural logarithm of how far the amounts lie beyond what is well known; 0 for within."""
        _, fresh, cached, output = self.limits
        if amounts[1] <= fresh and amounts[2] <= cached and amounts[3] <= output:
            return 0.0
        return max(
            math.log(amount / limit)
            for amount, limit in zip(amounts, self.limits, strict=True)
            if amount > limit
        )

    def learn(self, amounts: Amounts, calls: int, mean_ms: float) -> None:
        """Learn from some calls: their mean amounts and their mean time, above 0."""
        self.rows += 1
        if self.calls > _ALL_LEARNT_CALLS and self.rows % _THEN_EACH:
            return
        self.calls += calls
        self.learnt += calls
        self.squares = [
            square + calls * amount * amount for square, amount in zip(self.squares, amounts, strict=True)
        ]
        scale = self.expected_ms(amounts) if self.factors else mean_ms
        weight = calls / (scale * scale)
        products, targets = self.products, self.targets
        for one in range(KINDS):
            if amount := amounts[one] * weight:
                targets[one] += amount * mean_ms
                for other in range(one, KINDS):
                    products[one * KINDS + other] += amount * amounts[other]

    def is_stale(self, minute: int) -> bool:
        """Whether it is time to fit anew: twice as many calls, or a day."""
        if self.calls < _FIRST_FIT_CALLS:
            return False
        return self.calls >= 2 * self.fitted_calls or minute - self.fitted_minute >= _DAY_MINUTES

    def fit(self, minute: int, shares: Sequence[float]) -> float:
        """Fit anew. shares: of the usual time, by KINDS. The logarithm of what the usual call takes now to before."""
        usual = self._usual()
        before = self.expected_ms(usual) if self.factors else 0.0
        self.factors = self._factors(shares)
        days = (minute - self.fitted_minute) / _DAY_MINUTES if self.fitted_calls else 0.0
        if days >= 1:
            kept = _KEPT_A_DAY ** min(days, 30.0)
            self.products = [kept * product for product in self.products]
            self.targets = [kept * target for target in self.targets]
            self.squares = [kept * square for square in self.squares]
            self.calls *= kept
            self.learnt *= kept
        self.fitted_calls, self.fitted_minute = self.calls, minute
        return math.log(self.expected_ms(usual) / before) if before else 0.0

    def _usual(self) -> Amounts:
        base, fresh, cached, output = (product / self.products[0] for product in self.products[:KINDS])
        return base, fresh, cached, output

    def _factors(self, shares: Sequence[float]) -> list[float]:
        ones = self.products[0]
        sizes = [math.sqrt(self.products[kind * KINDS + kind] / ones) for kind in range(KINDS)]
        learnt = self.learnt or math.inf  # none, in a state of before this was counted
        self.limits = [_FAR * math.sqrt(square / learnt) or math.inf for square in self.squares]
        mean = self.targets[0] / ones
        # Of the mean time, what each kind takes at its usual size.
        alike = [
            [
                self.products[min(one, other) * KINDS + max(one, other)] / (ones * sizes[one] * sizes[other])
                if sizes[one] and sizes[other]
                else 0.0
                for other in range(KINDS)
            ]
            for one in range(KINDS)
        ]
        sought = [
            target / (ones * size * mean) if size else 0.0
            for target, size in zip(self.targets, sizes, strict=True)
        ]
        prior = [share if size else 0.0 for share, size in zip(shares, sizes, strict=True)]
        prior[0] += 1.0 - sum(prior)
        weight = _PRIOR_CALLS / self.calls
        found = list(prior)
        for _ in range(_SWEEPS):
            for one in range(KINDS):
                if not sizes[one]:
                    found[one] = 0.0
                    continue
                others = sum(alike[one][other] * found[other] for other in range(KINDS) if other != one)
                found[one] = max(0.0, (sought[one] + weight * prior[one] - others) / (1.0 + weight))
        # A base of nothing would make the expectation of a call without tokens nothing, too.
        found[0] = max(found[0], 0.01)
        return [share * mean / size if size else 0.0 for share, size in zip(found, sizes, strict=True)]
