"""Discovery of new classes among unlabelled vectors."""

from __future__ import annotations

MEMBERS = {
    "ProtoGCD": "protogcd:ProtoGCD",
    "SemiSupervisedKMeans": ".experimental.discovery.kmeans:SemiSupervisedKMeans",
    "SphericalKMeans": ".experimental.discovery.kmeans:SphericalKMeans",
}
"""Every `Discoverer` by its name in `lifelong.perception`; each is made without arguments."""
