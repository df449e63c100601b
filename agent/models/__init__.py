"""Backends of the agent's eyes and mind: one interface to local weights, servers and written answers."""
