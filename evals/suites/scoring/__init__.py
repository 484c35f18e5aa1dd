"""Throughput of the scores beside pytorch-ood."""
