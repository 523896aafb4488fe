"""Environments: native ones behind Gymnasium's vector interface, and adapters for all others.

Nothing is imported here: Gymnasium loads `pgfast.envs.registration` while it is itself being
loaded.
"""
