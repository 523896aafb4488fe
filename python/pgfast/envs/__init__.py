"""Environments: native ones behind Gymnasium's vector interface, and adapters for all others.

Nothing is imported here: `import pgfast` needs `registration` alone, and not Gymnasium.
"""
