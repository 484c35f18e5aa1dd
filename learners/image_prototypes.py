"""`PrototypeImageLearner`: PASS and PASS++, where the encoder trains and no image is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, cast

import numpy as np
from numpy.typing import NDArray

from ..perception.scorer import Labels
from .augmentation import TEMPERATURE, implicit_logits, prototype_radius
from .image_distillation import distillation_loss
from .image_learner import ImageLearner, ImageRecipe, encoded, features_of
from .image_views import TURNS, turned, turned_places

if TYPE_CHECKING:
    from torch import Tensor, nn


def ensemble_scores(logits: Tensor) -> Tensor:
    """Scores `(n, classes)` from the logits `(4, n, 4 classes)` of an image in its four turns: of each turn its own columns, their mean."""
    return sum(logits[turn, :, turn::TURNS] for turn in range(TURNS)) / TURNS  # type: ignore[return-value]  # four tensors, never none


def followed(centres: Tensor, before: Tensor, after: Tensor, bandwidth: float) -> Tensor:
    """Centres `(m, d)` moved as the features near them did, from `before` to `after` `(n, d)`.

    Yu et al. 2020, "Semantic Drift Compensation for Class-Incremental Learning", equations 9 and 10; `bandwidth` times
    `sqrt(d)` is their sigma.
    """
    import torch

    distances = torch.cdist(centres, before).square() / (2 * bandwidth**2 * centres.shape[1])
    return centres + (-distances).softmax(1) @ (after - before)


class PrototypeImageLearner(ImageLearner):
    """PASS (Zhu et al. 2021, "Prototype Augmentation and Self-Supervision") and PASS++, its successor (partly reconstructed).

    Every image is turned by a random number of quarters, and each turn of a class is a class of its own. Kept are means of the
    features and one radius, of the first call. Later calls add `strength` times the cross-entropy of old means, `sampled` with
    Gaussian noise of the radius (PASS) or `implicit` in the limit of infinitely many such samples (PASS++), and `distillation`
    times the distance between the features and those of the network before. `hardness` mixes each mean with this share of its
    nearest new feature. With `ensemble` an answer is the mean over the four turns, of which all have means then; otherwise only
    the upright ones do.

    Three things go beyond both. With `follow` above zero the means go along with the new features near them as the encoder moves,
    `follow` times the radius being near. `answers` times the loss of LwF holds what the old columns say of new images, so that
    the features may be held more loosely. `balanced` means are rehearsed the more, the more columns are old.
    """

    views = TURNS

    def __init__(
        self,
        recipe: ImageRecipe | None = None,
        *,
        form: Literal["sampled", "implicit"] = "implicit",
        strength: float = 10.0,
        distillation: float = 10.0,
        hardness: float = 0.2,
        ensemble: bool = True,
        answers: float = 0.0,
        balanced: bool = False,
        follow: float = 0.0,
        seed: int = 0,
    ) -> None:
        if form not in ("sampled", "implicit") or not 0 <= hardness < 1:
            raise ValueError(f"form {form!r} must be 'sampled' or 'implicit', and hardness {hardness} in [0, 1)")
        if min(strength, distillation, answers, follow) < 0:
            raise ValueError(
                f"strength {strength}, distillation {distillation}, answers {answers} and follow {follow} must not be negative"
            )
        super().__init__(recipe, seed=seed)
        self.form, self.strength, self.distillation = form, strength, distillation
        self.hardness, self.ensemble, self.follow = hardness, ensemble, follow
        self.answers, self.balanced = answers, balanced

    def _loss(self, batch: Tensor, places: Tensor, teacher: nn.Sequential | None, draw: np.random.Generator) -> Tensor:
        import torch
        from torch.nn.functional import cross_entropy

        turns = torch.from_numpy(draw.integers(TURNS, size=len(batch))).to(batch.device)
        batch, columns = turned(batch, turns), turned_places(places, turns)
        features = self._encoded(batch)
        logits = self._head(features) / TEMPERATURE
        total = cross_entropy(logits, columns)
        if teacher is None:
            return total
        with torch.no_grad():
            before = encoded(teacher, batch)
            taught = cast("Tensor", teacher[-1](before)) / TEMPERATURE
        old = taught.shape[1]
        total = total + self.answers * distillation_loss(logits[:, :old], taught)
        moved = cast("Tensor", torch.linalg.vector_norm(features - before, dim=1).mean())
        strength = self.strength * (old / max(self.views, logits.shape[1] - old) if self.balanced else 1.0)
        return total + self.distillation * moved + strength * self._rehearsed(features.detach(), before, draw)

    def _rehearsed(self, features: Tensor, before: Tensor, draw: np.random.Generator) -> Tensor:
        """The cross-entropy of as many old means as there are new features."""
        import torch
        from torch.nn.functional import cross_entropy

        some = draw.integers(len(self._arrays["means"]), size=len(features))
        centres, columns = (torch.from_numpy(self._arrays[name][some]).to(features.device) for name in ("means", "columns"))
        radius, weights = float(self._arrays["radius"]), cast("nn.Linear", self._trained()[-1]).weight
        if self.follow:
            centres = followed(centres, before, features, self.follow * radius)
        nearest = features[torch.cdist(centres, features).argmin(1)]
        centres = (1 - self.hardness) * centres + self.hardness * nearest
        if self.form == "sampled":
            noise = draw.standard_normal(centres.shape, dtype=np.float32)
            centres = centres + radius * torch.from_numpy(noise).to(features.device)
        logits = self._head(centres) / TEMPERATURE
        if self.form == "implicit":
            logits = implicit_logits(logits, weights, columns, radius)
        return cross_entropy(logits, columns)

    def _keep(self, pixels: NDArray[np.uint8], labels: Labels, places: NDArray[np.int64], teacher: nn.Sequential | None) -> None:
        import torch

        views = [np.rot90(pixels, turn, (1, 2)) for turn in range(TURNS if self.ensemble else 1)]
        after = [features_of(self._trained(), view, self.recipe.device) for view in views]
        if "radius" not in self._arrays:
            self._arrays["radius"] = np.array(prototype_radius(after[0], labels))
        columns, means = self._arrays.get("columns", ()), self._arrays.get("means", ())
        if self.follow and teacher is not None:
            before = np.concatenate([features_of(teacher, view, self.recipe.device) for view in views])
            centres, start, end = (torch.from_numpy(array) for array in (means, before, np.concatenate(after)))
            means = followed(centres, start, end, self.follow * float(self._arrays["radius"])).numpy()
        kept = {int(column): mean for column, mean in zip(columns, means, strict=True)}
        for turn, features in enumerate(after):
            kept |= {TURNS * int(place) + turn: features[places == place].mean(0) for place in np.unique(places)}
        self._arrays |= {"columns": np.array(list(kept), dtype=np.int64), "means": np.array(list(kept.values()), dtype=np.float32)}

    def _scores(self, inputs: Tensor) -> NDArray[np.floating]:
        import torch

        turns = range(TURNS if self.ensemble else 1)
        logits = torch.stack([self._head(self._encoded(torch.rot90(inputs, turn, (2, 3)))) for turn in turns])
        return np.asarray((ensemble_scores(logits) if self.ensemble else logits[0, :, ::TURNS]).cpu().numpy())
