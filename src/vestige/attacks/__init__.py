"""Attacks: pure functions from recorded signals to scores; higher = more likely a member."""
