"""How a sample is predicted by the other samples of a training set, for any training set, in closed form."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float, Float64, Integer
from scipy import linalg

Mapped = Float[np.ndarray, "samples landmarks"]
Coins = Float64[np.ndarray, "samples"]
Response = Float64[np.ndarray, "samples responses"]  # three of them

REGULARIZATION = 0.5  # chosen once on references of Location30, never on targets
KNOWN_BYTES = 1 << 30  # of responses kept: 1,700 training sets of 50,000 samples


@dataclass(frozen=True, eq=False)
class Surrogate:
    """Kernel ridge regression on one-hot labels, each sample weighed by the chance that it was trained on.

    mapped: [samples landmarks], features of a kernel, their columns orthogonal. labels: [samples], class
    indices.
    """

    mapped: Mapped
    labels: Integer[np.ndarray, "samples"]
    regularization: float = REGULARIZATION

    def response(self, coins: Coins) -> Response:
        """What the others say of each sample when each sample j counts coins[j], 0 to 1.

        Columns: the output at the sample's own label, its margin over the largest other output, and the
        variance that is left. The sample itself is taken out in closed form, so its own coin changes nothing:
        with A = psi' P psi + l I and q = psi_i A^-1 psi_i, output (f - p q y) / (1 - p q), variance
        l q / (1 - p q).
        """
        half = self._whitened(coins)
        leverage = np.einsum("ij,ij->i", half, half).astype(np.float64)
        onehot = self._onehot()
        outputs = (half @ (half.T @ (coins[:, None] * onehot).astype(half.dtype))).astype(np.float64)
        remaining = 1 - coins * leverage
        outputs -= (coins * leverage)[:, None] * onehot
        outputs /= remaining[:, None]
        own = np.take_along_axis(outputs, self.labels[:, None], 1)[:, 0]
        others = np.where(onehot > 0, -np.inf, outputs).max(1)
        return np.column_stack([own, own - others, self.regularization * leverage / remaining])

    def _whitened(self, coins: Coins) -> Mapped:
        """psi L^-T with A = L L', so that products of its rows are psi_i A^-1 psi_j."""
        if (coins == coins[0]).all():  # then A is diagonal, for columns are orthogonal
            return self.mapped / np.sqrt(coins[0] * self._lengths + self.regularization).astype(
                self.mapped.dtype
            )
        counted = np.flatnonzero(coins)  # of a known training set half the samples
        root = self.mapped[counted]
        root *= np.sqrt(coins[counted]).astype(root.dtype)[:, None]
        # triangular all the way: half the work of general products
        syrk, trmm = linalg.get_blas_funcs(("syrk", "trmm"), (root,))
        gram = syrk(1.0, root.T, lower=1)
        gram.flat[:: len(gram) + 1] += self.regularization
        factor = linalg.cholesky(gram, lower=True, overwrite_a=True, check_finite=False)
        (trtri,) = linalg.get_lapack_funcs(("trtri",), (factor,))
        inverse, _ = trtri(factor, lower=1, overwrite_c=1)  # a Cholesky factor always has one
        return trmm(1.0, inverse, self.mapped.T, lower=1).T

    @cached_property
    def _lengths(self) -> Float64[np.ndarray, "landmarks"]:
        """The squared lengths of the columns."""
        return np.einsum("ij,ij->j", self.mapped, self.mapped, dtype=np.float64)

    def _onehot(self) -> Float64[np.ndarray, "samples classes"]:
        """At least two classes, so that there is always another one."""
        return np.eye(max(int(self.labels.max()) + 1, 2))[self.labels]


class Responses:
    """What a surrogate answers, each coin vector asked once where it is known to come again."""

    def __init__(self, surrogate: Surrogate) -> None:
        self._surrogate = surrogate
        self._known: dict[bytes, Response] = {}

    def to(self, coins: Coins) -> Response:
        """The response to these coins, which may be chances."""
        return self._surrogate.response(coins)

    def beyond_number(self, coins: Coins) -> Response:
        """The response to these coins less that to as many members of whom nothing is known.

        So it tells who is a member, not how many are: for numbers other than those of the references it would
        extrapolate. Of each sample the number is that of the others, so that its own coin changes nothing.
        """
        return self.to(coins) - self._to_shares((coins.sum() - coins) / max(len(coins) - 1, 1))

    def _to_shares(self, shares: Coins) -> Response:
        """What each sample gets where all have the chance that it names; linear between hundredths."""
        hundredths = 100 * shares
        lower = np.clip(np.floor(hundredths), 0, 99).astype(int)
        steps = np.unique([lower, lower + 1])
        known = np.stack([self.to_known(np.full(len(shares), step / 100)) for step in steps])
        place, rows = np.searchsorted(steps, lower), np.arange(len(shares))
        weight = (hundredths - lower)[:, None]
        return (1 - weight) * known[place, rows] + weight * known[place + 1, rows]

    def to_known(self, coins: Coins) -> Response:
        """The same, remembered: for the training sets of references, which all targets share."""
        key = hashlib.blake2b(np.ascontiguousarray(coins).tobytes(), digest_size=16).digest()
        if key not in self._known:
            found = self._known[key] = self.to(coins).astype(np.float32)
            while len(self._known) * found.nbytes > KNOWN_BYTES:
                del self._known[next(iter(self._known))]  # the oldest
        return self._known[key].astype(np.float64)
